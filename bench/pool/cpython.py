#!/usr/bin/python3
"""multiprocessing.Pool: squares of numbers, one int in and one int out. The pool is made and
has done some tasks before the clock starts."""

import multiprocessing
import sys
import time

WARM_UP = 64


def square(number):
    return number * number


def map_single(pool, count):
    return pool.map(square, range(count), chunksize=1)


def map_default(pool, count):
    return pool.map(square, range(count))


def imap_unordered(pool, count):
    return list(pool.imap_unordered(square, range(count)))


def round_trip(pool, count):
    return [pool.apply(square, (number,)) for number in range(count)]


MODES = {
    "map_single": map_single,
    "map": map_default,
    "imap_unordered": imap_unordered,
    "round_trip": round_trip,
}


def measure(mode, workers, tasks):
    work = MODES[mode]
    with multiprocessing.Pool(int(workers)) as pool:
        work(pool, WARM_UP)
        begin = time.monotonic()
        squares = work(pool, int(tasks))
        seconds = time.monotonic() - begin
    if sorted(squares) != [number * number for number in range(int(tasks))]:
        sys.exit("the squares are wrong")
    return seconds * 1e6 / int(tasks) if mode == "round_trip" else int(tasks) / seconds


if __name__ == "__main__":
    print("%.6g" % measure(**dict(word[2:].split("=", 1) for word in sys.argv[1:])))
