#!/usr/bin/python3
"""multiprocessing.Value with its lock. Python has no atomic add: `add` is what one has to write for
it, the same as `locked`. The laps are those of counting.c."""

import multiprocessing
import os
import sys
import time

WARM_UP_COUNT = 1000
PROCESS_LIMIT_SECONDS = 120


def get(value, count):
    total = 0
    for _ in range(count):
        total += value.value
    if total != 0:
        sys.exit("it is not 0")


def add_locked(value, count):
    lock = value.get_lock()
    for _ in range(count):
        with lock:
            value.value += 1


WAYS = {"get": get, "locked": add_locked, "add": add_locked}


class Counting:
    def __init__(self, how, count, processes):
        self.work = WAYS[how]
        self.count = int(count)
        self.process_count = int(processes)
        self.cpus = sorted(os.sched_getaffinity(0))
        if len(self.cpus) < self.process_count:
            sys.exit("this needs %d CPUs" % self.process_count)
        self.value = multiprocessing.Value("q", 0)
        self.barrier = multiprocessing.Barrier(self.process_count)
        self.reports = multiprocessing.SimpleQueue()  # (begin, end) of each process

    def take_part(self, index):
        os.sched_setaffinity(0, {self.cpus[index]})
        self.barrier.wait()
        self.work(self.value, WARM_UP_COUNT)
        self.barrier.wait()
        begin = time.monotonic()
        self.work(self.value, self.count)
        self.reports.put((begin, time.monotonic()))

    def run(self):
        processes = [multiprocessing.Process(target=self.take_part, args=(index,), daemon=True)
                     for index in range(self.process_count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PROCESS_LIMIT_SECONDS)
            if process.exitcode != 0:
                sys.exit("a process ended with %s" % process.exitcode)
        begins, ends = zip(*(self.reports.get() for _ in processes))
        added = 0 if self.work is get else self.process_count * (WARM_UP_COUNT + self.count)
        if self.value.value != added:
            sys.exit("some were lost")
        return self.process_count * self.count / (max(ends) - min(begins))


if __name__ == "__main__":
    print("%.6g" % Counting(**dict(word[2:].split("=", 1) for word in sys.argv[1:])).run())
