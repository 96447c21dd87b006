#!/usr/bin/python3
"""The logger of multiprocessing, and its finalizers. The loop is that of messages.c."""

import multiprocessing
import os
import sys
import time
from multiprocessing import util

WARM_UP_DIVISOR = 20


def write(count):
    info = util.info
    for number in range(count):
        info("message %d of the bench", number)


def finalize(count):
    for _ in range(count):
        util.Finalize(None, int, exitpriority=0)()


def main():
    arguments = dict(word[2:].split("=", 1) for word in sys.argv[1:])
    count, what = int(arguments["messages"]), arguments["what"]
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if what == "line":
        multiprocessing.log_to_stderr(util.INFO)
    run = finalize if what == "finalizer" else write
    run(count // WARM_UP_DIVISOR + 1)
    begin = time.monotonic_ns()
    run(count)
    print("%.6g" % ((time.monotonic_ns() - begin) / count))
    sys.stdout.flush()
    os._exit(0)  # without the lines of its end


main()
