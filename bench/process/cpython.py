#!/usr/bin/python3
"""multiprocessing.Process of a context: children that do nothing, one after the other."""

import multiprocessing
import sys
import time

WARM_UP_COUNT = 5


def do_nothing():
    pass


def start_children(context, count):
    for _ in range(count):
        process = context.Process(target=do_nothing)
        process.start()
        process.join()
        if process.exitcode != 0:
            sys.exit("a child exited with %s" % process.exitcode)


def measure(method, children, memory="0"):
    context = multiprocessing.get_context(method)
    touched = b"\1" * (int(memory) << 20)
    start_children(context, WARM_UP_COUNT)
    begin = time.monotonic()
    start_children(context, int(children))
    end = time.monotonic()
    del touched
    return int(children) / (end - begin)


if __name__ == "__main__":
    print("%.6g" % measure(**dict(word[2:].split("=", 1) for word in sys.argv[1:])))
