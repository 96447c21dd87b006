"""A queue that runs between Python processes, and that a C program joins."""

import functools
import multiprocessing
import queue as standard

import peer

ITEMS = 300


def item(number):
    """What goes through the queue: any value, with its number in it."""
    return {"number": number, "text": "item %d" % number, "list": [number, None, number / 2]}


def join_queue(maxsize, act):
    """Hands a new queue to the C program: its two fds, and the names of its three semaphores."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(maxsize)
    names = [lock._semlock.name for lock in (queue._rlock, queue._wlock, queue._sem)]
    peer.send_fds(peer.unix_socket(), " ".join(names),
                  [queue._reader.fileno(), queue._writer.fileno()])
    act(context, queue)
    queue.close()
    queue.join_thread()


def put_items(queue, first, count):
    for number in range(first, first + count):
        queue.put(item(number))


def put(context, queue):
    put_items(queue, 0, ITEMS)
    peer.equal(peer.receiver().recv_bytes(), b"done", "the word of the C program")
    peer.equal(queue.empty(), True, "the queue is empty")
    peer.equal(queue.qsize(), 0, "the count of items, which the C program has kept")


def get(context, queue):
    for number in range(ITEMS):
        peer.equal(queue.get(), item(number), "item %d" % number)
    peer.equal(queue.qsize(), 0, "the count of items, which the C program has kept")


def crowd(context, queue):
    """Two Pythons and C put as many each, C gets a third of all, the first Python the others."""
    other = context.Process(target=put_items, args=(queue, ITEMS, ITEMS))
    other.start()
    put_items(queue, 0, ITEMS)
    numbers = []
    for _ in range(2 * ITEMS):
        thing = queue.get()
        peer.equal(thing, item(thing["number"]), "an item")
        numbers.append(thing["number"])
    other.join()
    peer.sender().send(numbers)


def bounded(context, queue):
    """Room for two: C waits until there is some, as Python does."""
    receiver, sender = peer.receiver(), peer.sender()
    queue.put(item(0))
    peer.equal(queue._reader.poll(30), True, "the feeder thread has written the item")
    sender.send_bytes(b"one")
    peer.equal(receiver.recv_bytes(), b"full", "the word of the C program")
    peer.raises(standard.Full, queue.put_nowait, item(2))
    for number in range(ITEMS):
        peer.equal(queue.get(), item(number), "item %d" % number)


def main():
    """One function for each queue: with so much room, and what is done with it."""
    acts = {"put": (0, put), "get": (0, get), "crowd": (0, crowd), "bounded": (2, bounded)}
    peer.main({name: functools.partial(join_queue, *act) for name, act in acts.items()})


if __name__ == "__main__":
    main()
