#!/usr/bin/python3
"""multiprocessing.Condition. The laps are those of turns.c."""

import multiprocessing
import os
import sys
import time
from multiprocessing.sharedctypes import RawValue

WARM_UP_COUNT = 1000
CPU_COUNT = 2
PROCESS_LIMIT_SECONDS = 120


def arguments_of(words):
    return {name[2:]: int(value) for name, value in (word.split("=", 1) for word in words)}


class Turns:
    def __init__(self, turns, processes):
        self.goal = turns
        self.process_count = processes
        self.cpus = sorted(os.sched_getaffinity(0))
        if len(self.cpus) < CPU_COUNT:
            sys.exit("this needs %d CPUs" % CPU_COUNT)
        self.condition = multiprocessing.Condition()
        self.turn = RawValue("Q", 0)
        self.barrier = multiprocessing.Barrier(processes)
        self.reports = multiprocessing.SimpleQueue()  # (begin, end) of each process

    def take_turns(self, index, limit):
        condition, turn, count = self.condition, self.turn, self.process_count
        is_over = False
        while not is_over:
            with condition:
                while turn.value % count != index and turn.value < limit:
                    condition.wait()
                is_over = turn.value >= limit
                turn.value += not is_over
                condition.notify_all()

    def take_part(self, index):
        os.sched_setaffinity(0, {self.cpus[index % CPU_COUNT]})
        self.barrier.wait()
        self.take_turns(index, WARM_UP_COUNT)
        self.barrier.wait()
        begin = time.monotonic()
        self.take_turns(index, WARM_UP_COUNT + self.goal)
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
        if self.turn.value != WARM_UP_COUNT + self.goal:
            sys.exit("a turn was taken twice, or not at all")
        return self.goal / (max(ends) - min(begins))


if __name__ == "__main__":
    print("%.6g" % Turns(**arguments_of(sys.argv[1:])).run())
