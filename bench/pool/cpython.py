#!/usr/bin/python3
"""multiprocessing.Pool: squares of numbers, one int in and one int out. The pool is made and
has done some tasks before the clock starts."""

import multiprocessing
import sys
import time

WARM_UP = 64
ASLEEP_AFTER_SECONDS = 0.001


def square(number):
    return number * number


def timed(work):
    """The squares that `work` returns, and the seconds that it took."""
    begin = time.monotonic()
    squares = work()
    return squares, time.monotonic() - begin


def map_single(pool, count):
    return timed(lambda: pool.map(square, range(count), chunksize=1))


def map_default(pool, count):
    return timed(lambda: pool.map(square, range(count)))


def imap_unordered(pool, count):
    return timed(lambda: list(pool.imap_unordered(square, range(count))))


def round_trip(pool, count, pause=0.0):
    squares, seconds = [], 0.0
    for number in range(count):
        if pause:
            time.sleep(pause)
        squared, took = timed(lambda: pool.apply(square, (number,)))
        squares.append(squared)
        seconds += took
    return squares, seconds


def round_trip_asleep(pool, count):
    return round_trip(pool, count, ASLEEP_AFTER_SECONDS)


MODES = {
    "map_single": map_single,
    "map": map_default,
    "imap_unordered": imap_unordered,
    "round_trip": round_trip,
    "round_trip_asleep": round_trip_asleep,
}


def measure(mode, workers, tasks):
    work, count = MODES[mode], int(tasks)
    with multiprocessing.Pool(int(workers)) as pool:
        work(pool, WARM_UP)
        squares, seconds = work(pool, count)
    if sorted(squares) != [number * number for number in range(count)]:
        sys.exit("the squares are wrong")
    return seconds * 1e6 / count if mode.startswith("round_trip") else count / seconds


if __name__ == "__main__":
    print("%.6g" % measure(**dict(word[2:].split("=", 1) for word in sys.argv[1:])))
