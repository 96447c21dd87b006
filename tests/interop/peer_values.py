"""Values both ways.

    answer      what a C program sends is read, described and written again
    ask         values of generator.py go to a C program and must come back the same
    pass_on     objects that come over the socket go back
    send        values of generator.py go over the socket and must come back the same
"""

import os
import pickle
import sys
from multiprocessing.connection import Connection

import peer
from description import describe, difference
from generator import generate

PROTOCOLS = (2, 3, 4, 5)


def answer():
    """Each message: the protocol of the answer, a byte, and a pickle. The answer: the size of the
    description, 4 bytes, the description, and the pickle."""
    receiver, sender = peer.receiver(), peer.sender()
    while True:
        try:
            message = receiver.recv_bytes()
        except EOFError:
            return
        value = pickle.loads(memoryview(message)[1:])
        description = describe(value)
        sender.send_bytes(len(description).to_bytes(4, "little") + description +
                          pickle.dumps(value, message[0]))


def ask():
    """Each message: the protocol of the answer, a byte, and a pickle; the answer is a pickle, or
    begins with '!' and says why there is none."""
    receiver, sender = peer.receiver(), peer.sender()
    seed, count, every_protocol = (int(word) for word in os.environ["KIN_VALUES"].split())
    for number in range(seed, seed + count):
        value = generate(number)
        expected = describe(value)
        for protocol in PROTOCOLS if every_protocol else (PROTOCOLS[number % 4],):
            back = PROTOCOLS[(number // 4 + protocol) % 4]
            sender.send_bytes(bytes([back]) + pickle.dumps(value, protocol))
            check(number, protocol, back, expected, receiver.recv_bytes())


def check(number, protocol, back, expected, answered):
    where = "value %d, there by protocol %d, back by %d" % (number, protocol, back)
    if answered[:1] == b"!":
        sys.exit("%s: %s" % (where, answered.decode()))
    try:
        actual = describe(pickle.loads(answered))
    except Exception as error:
        sys.exit("%s: %r while reading %r" % (where, error, answered))
    check_same(where, actual, expected)


def pass_on():
    end = Connection(os.dup(3))
    while True:
        try:
            end.send(end.recv())
        except EOFError:
            return


def send():
    end = Connection(os.dup(3))
    for number in range(int(os.environ["KIN_VALUES"].split()[1])):
        value = generate(number)
        end.send(value)
        check_same("value %d" % number, describe(end.recv()), describe(value))


def check_same(where, actual, expected):
    if actual != expected:
        sys.exit("%s: %s" % (where, difference(actual, expected)))


if __name__ == "__main__":
    peer.main(globals())
