#!/usr/bin/python3
"""pickle.dumps and pickle.loads, protocol 4, on the values of values.h."""

import pickle
import sys
import time

VALUES = {
    "dict": lambda: {"id": 17, "name": "Ada Lovelace", "score": 0.75, "active": True},
    "ints": lambda: list(range(100000)),
    "strings": lambda: ["string %05d" % i for i in range(10000)],
    "bytes": lambda: bytes(1 << 20),
    "document": lambda: [
        {
            "name": "person %d" % i,
            "age": 20 + i,
            "tags": ["tag %d" % (3 * i + k) for k in range(3)],
            "address": {"street": "%d, Main Street" % i, "position": [i + 0.5, -i - 0.25]},
        }
        for i in range(20)
    ],
}


def encode(value, count):
    dumps = pickle.dumps
    for _ in range(count):
        dumps(value, 4)


def decode(value, count):
    loads = pickle.loads
    data = pickle.dumps(value, 4)
    for _ in range(count):
        loads(data)


def main(value, way, count):
    work = {"encode": encode, "decode": decode}[way]
    made = VALUES[value]()
    work(made, int(count) // 10 + 1)
    begin = time.monotonic()
    work(made, int(count))
    print("%.6g" % (int(count) / (time.monotonic() - begin)))


if __name__ == "__main__":
    main(**dict(word[2:].split("=", 1) for word in sys.argv[1:]))
