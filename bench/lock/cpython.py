#!/usr/bin/python3
"""multiprocessing.Lock around an increment of a raw shared value. The laps are those of
section.c."""

import multiprocessing
import os
import sys
import time
from multiprocessing.sharedctypes import RawValue

WARM_UP_COUNT = 10000
PROCESS_LIMIT_SECONDS = 120


def arguments_of(words):
    return {name[2:]: int(value) for name, value in (word.split("=", 1) for word in words)}


class Sections:
    def __init__(self, sections, processes):
        self.goal = sections
        self.process_count = processes
        self.cpus = sorted(os.sched_getaffinity(0))
        if len(self.cpus) < processes:
            sys.exit("this needs %d CPUs" % processes)
        self.lock = multiprocessing.Lock()
        self.counter = RawValue("Q", 0)
        self.barrier = multiprocessing.Barrier(processes)
        self.reports = multiprocessing.SimpleQueue()  # (begin, end, count) of each process

    def count_to(self, limit):
        acquire, release, counter = self.lock.acquire, self.lock.release, self.counter
        count = now = 0
        while now < limit:
            acquire()
            now = counter.value
            if now < limit:
                now += 1
                counter.value = now
                count += 1
            release()
        return count

    def take_part(self, index):
        os.sched_setaffinity(0, {self.cpus[index]})
        self.barrier.wait()
        count = self.count_to(WARM_UP_COUNT)
        self.barrier.wait()
        begin = time.monotonic()
        count += self.count_to(WARM_UP_COUNT + self.goal)
        self.reports.put((begin, time.monotonic(), count))

    def run(self):
        processes = [multiprocessing.Process(target=self.take_part, args=(index,), daemon=True)
                     for index in range(self.process_count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PROCESS_LIMIT_SECONDS)
            if process.exitcode != 0:
                sys.exit("a process ended with %s" % process.exitcode)
        begins, ends, counts = zip(*(self.reports.get() for _ in processes))
        if sum(counts) != WARM_UP_COUNT + self.goal or self.counter.value != sum(counts):
            sys.exit("two were in the section at once")
        return self.goal / (max(ends) - min(begins))


if __name__ == "__main__":
    print("%.6g" % Sections(**arguments_of(sys.argv[1:])).run())
