"""Connecting and listening, as a C program says.

Each message is JSON: {"do": "connect", "listen" or "listen in silence", "address": "unix:..." or
"tcp:host:port", "key": text or null}. The answer is "connected" when both have heard from each
other, or what happened. A listener answers with its address first.
"""

import json
import socket
from multiprocessing.connection import Client, Listener

import peer

HELLO_OF_C, HELLO_OF_PYTHON = b"hello from c", b"hello from python"
PATIENCE_SECONDS = 30


def main():
    receiver, sender = peer.receiver(), peer.sender()
    socket.setdefaulttimeout(None)
    while True:
        try:
            order = json.loads(receiver.recv_bytes())
        except EOFError:
            return
        key = None if order["key"] is None else order["key"].encode()
        try:
            answer = ACTS[order["do"]](order["address"], key, sender)
        except (EOFError, ConnectionError):
            answer = "the other side has left"
        except Exception as error:
            answer = type(error).__name__
        sender.send_bytes(answer.encode())


def split(address):
    kind, rest = address.split(":", 1)
    if kind == "unix":
        return rest
    host, port = rest.rsplit(":", 1)
    return host, int(port)


def greet(connection):
    with connection:
        connection.send_bytes(HELLO_OF_PYTHON)
        if not connection.poll(PATIENCE_SECONDS):
            return "silence"
        heard = connection.recv_bytes()
        return "connected" if heard == HELLO_OF_C else "%r" % heard[:11]


def connect(address, key, sender):
    return greet(Client(split(address), authkey=key))


def listen(address, key, sender, meet=greet):
    with Listener(split(address), authkey=key) as listener:
        where = listener.address
        text = "unix:" + where if isinstance(where, str) else "tcp:%s:%d" % where
        sender.send_bytes(text.encode())
        return meet(listener.accept())


def listen_in_silence(address, key, sender):
    return listen(address, key, sender, lambda connection: repr(connection.recv_bytes()))


ACTS = {"connect": connect, "listen": listen, "listen in silence": listen_in_silence}


if __name__ == "__main__":
    peer.main(globals())
