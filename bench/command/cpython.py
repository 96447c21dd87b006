#!/usr/bin/python3
"""subprocess.run."""

import mmap
import subprocess
import sys
import time

WARM_UP_COUNT = 20


def run(count):
    for _ in range(count):
        subprocess.run(["/bin/true"], check=True)


def prepare(work, count):
    if work == "run":
        run(WARM_UP_COUNT)
        return b""
    given = bytes(range(256)) * (count // 256)
    warm_memory(count + count // 4)
    return given


def warm_memory(size):
    """See programs.c."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE)
    memory.madvise(mmap.MADV_HUGEPAGE)
    for at in range(0, size, mmap.PAGESIZE):
        memory[at] = 1
    memory.close()


def measure(work, count):
    count = int(count)
    given = prepare(work, count)
    begin = time.monotonic()
    if work == "run":
        run(count)
    else:
        done = subprocess.run(["/bin/cat"], input=given, stdout=subprocess.PIPE, check=True)
        if done.stdout != given:
            sys.exit("other bytes came back than were given")
    return count / (time.monotonic() - begin)


if __name__ == "__main__":
    print("%.6g" % measure(**dict(word[2:].split("=", 1) for word in sys.argv[1:])))
