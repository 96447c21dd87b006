"""Values, arrays and lists in shared memory."""

import ctypes
import multiprocessing
import os
from multiprocessing import heap, resource_tracker, sharedctypes, synchronize
from multiprocessing.shared_memory import ShareableList

import peer

TURNS = 2000
LONG = "more than eight bytes"


def expect_word(receiver, word):
    peer.equal(receiver.recv_bytes(), word, "the word of the C program")


# --- ShareableList ---


def make_list():
    """A list of Python's that a C program reads, and changes."""
    receiver, sender = peer.receiver(), peer.sender()
    items = ShareableList([1, 2.5, "abc", None, b"x", True, LONG, -(2**63)])
    try:
        sender.send_bytes(items.shm.name.encode())
        expect_word(receiver, b"changed")
        peer.equal(list(items), [-7, -0.5, "xyz", 99, b"seven b", False, "short", 2**63 - 1],
                   "what C wrote")
    finally:
        items.shm.close()
        items.shm.unlink()


def attach_list():
    """A list of a C program's that Python reads, and changes."""
    receiver, sender = peer.receiver(), peer.sender()
    items = ShareableList(name=receiver.recv_bytes().decode())
    if hasattr(resource_tracker, "_resource_tracker"):
        resource_tracker.unregister(items.shm._name, "shared_memory")  # it is not Python's to end
    peer.equal(list(items), [1, 2.5, "abc", None, b"x", True, LONG, -(2**63)], "the list of C")
    for index, value in enumerate([-7, -0.5, "xyz", 99, b"seven b", False, "short", 2**63 - 1]):
        items[index] = value
    items.shm.close()
    sender.send_bytes(b"changed")


# --- Value and Array ---


def place_of(raw):
    """(arena, offset in it) of a ctypes object in shared memory."""
    (arena, start, _), _ = raw._wrapper._state
    return arena, start


def make_values():
    """A Value and an Array of Python's that a C program changes at the same time."""
    receiver, sender = peer.receiver(), peer.sender()
    context = multiprocessing.get_context("spawn")
    value = context.Value("i", 5)
    numbers = context.Array("d", [1.5, -2.5, 3.5])
    (arena, start), (same_arena, numbers_start) = map(place_of, (value.get_obj(),
                                                                 numbers.get_obj()))
    peer.equal(same_arena is arena, True, "both are in one arena")
    sender.send_bytes(("%d %d %d %s" % (arena.size, start, numbers_start,
                                        value.get_lock()._semlock.name)).encode())
    peer.send_fds(peer.unix_socket(), "arena", [arena.fd])
    expect_word(receiver, b"begin")
    for _ in range(TURNS):
        with value.get_lock():
            value.value += 1
    expect_word(receiver, b"end")
    peer.equal(value.value, 5 + 2 * TURNS, "the value that both counted up")
    peer.equal(numbers[:], [1.5, 42.25, 3.5], "what C wrote")


def attach_values():
    """The same, in memory and with a lock that a C program made."""
    receiver, sender = peer.receiver(), peer.sender()
    size, start, numbers_start, name = receiver.recv_bytes().decode().split()
    _, (fd,) = peer.receive_fds(peer.unix_socket())
    arena = heap.Arena(int(size), fd)
    value = attached(arena, ctypes.c_int, int(start))
    numbers = attached(arena, ctypes.c_double * 3, int(numbers_start))
    peer.equal((value.value, numbers[:]), (5, [1.5, -2.5, 3.5]), "what C wrote")
    numbers[1] = 42.25
    lock = synchronize.Lock.__new__(synchronize.Lock)
    lock.__setstate__((0, synchronize.SEMAPHORE, 1, name))
    sender.send_bytes(b"begin")
    for _ in range(TURNS):
        with lock:
            value.value += 1
    os.close(fd)


def attached(arena, kind, start):
    wrapper = heap.BufferWrapper.__new__(heap.BufferWrapper)
    size = ctypes.sizeof(kind)
    wrapper._state = (arena, start, start + size), size
    return sharedctypes.rebuild_ctype(kind, wrapper, None)


if __name__ == "__main__":
    peer.main(globals())
