"""What all scripts of this folder that a C program talks to have in common.

A script is called with one argument, the name of a function in it, which it runs. Its stdin and
stdout are pipes to the C program, its fd 3 is a unix socket.
"""

import array
import os
import socket
import sys
from multiprocessing.connection import Connection

FD_COUNT_MAX = 16


def receiver():
    """The messages from the C program."""
    return Connection(os.dup(0), writable=False)


def sender():
    """The messages to it."""
    return Connection(os.dup(1), readable=False)


def unix_socket():
    return socket.socket(fileno=os.dup(3))


def send_fds(channel, text, fds):
    """One message with fds."""
    rights = array.array("i", fds)
    channel.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def receive_fds(channel):
    """(text, [fd]) of the next message with fds."""
    size = socket.CMSG_SPACE(FD_COUNT_MAX * array.array("i").itemsize)
    data, ancillary, _, _ = channel.recvmsg(4096, size)
    fds = array.array("i")
    for level, kind, rights in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(rights[: len(rights) - len(rights) % fds.itemsize])
    return data.decode(), list(fds)


def equal(actual, expected, what=""):
    """Ends the script unless both are equal."""
    if actual != expected:
        sys.exit(f"{what}: {actual!r}, not {expected!r}")


def raises(kinds, function, *arguments):
    """The exception that a call raises; ends the script if it raises none."""
    try:
        function(*arguments)
    except kinds as error:
        return error
    sys.exit(f"{function.__name__} did not raise {kinds}")


def main(names):
    """Runs the function that the argument names; `names` is the caller's globals()."""
    names[sys.argv[1]]()


def version():
    print("%d%02d" % sys.version_info[:2], end="")


if __name__ == "__main__":
    main(globals())
