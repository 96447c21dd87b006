"""Frames: what a Connection of Python sends, and what it makes of frames that C wrote."""

import os
from multiprocessing.connection import Connection

import peer

SIZES = (0, 1, 16384, 16385, 1 << 20, 5 << 20)
END = b"end"


def pattern(size):
    return bytes(7 * i % 251 for i in range(min(size, 251))) * (size // 251 + 1)


def echo(receiver, sender):
    """Sends back what comes, until the end of the file."""
    while True:
        try:
            sender.send_bytes(receiver.recv_bytes())
        except EOFError:
            return


def echo_over_pipes():
    echo(peer.receiver(), peer.sender())


def echo_over_socket():
    end = Connection(os.dup(3))
    echo(end, end)


def send_sizes():
    sender = peer.sender()
    for size in SIZES:
        sender.send_bytes(pattern(size)[:size])


def receive_odd():
    """What C wrote by hand: the long form of a small message, then half of one."""
    receiver = peer.receiver()
    peer.equal(receiver.recv_bytes(), b"hello", "the long form")
    peer.equal(receiver.recv_bytes(), b"", "the long form of nothing")
    error = peer.raises(OSError, receiver.recv_bytes)
    peer.equal(isinstance(error, EOFError), False, "half a message is not the end")


def send_long_form():
    os.write(1, b"\xff\xff\xff\xff" + (5).to_bytes(8, "big") + b"hello")
    os.write(1, b"\xff\xff\xff\xff" + (0).to_bytes(8, "big"))


def send_half_a_message():
    os.write(1, b"\x00\x00\x00\x0ahel")


def send_half_a_header():
    os.write(1, b"\x00\x00")


def send_slowly():
    """A byte at a time."""
    for byte in b"\x00\x00\x00\x05hello\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x02hi":
        os.write(1, bytes([byte]))


if __name__ == "__main__":
    peer.main(globals())
