#!/usr/bin/python3
"""multiprocessing.Semaphore, BoundedSemaphore and Barrier. The laps are those of steps.c; it has
no reader-writer lock."""

import multiprocessing
import os
import sys
import time
from multiprocessing.sharedctypes import RawArray, RawValue

WARM_UP_DIVISOR = 20
PROCESS_LIMIT_SECONDS = 120


def arguments_of(words):
    return dict(word[2:].split("=", 1) for word in words)


class Steps:
    def __init__(self, kind, processes, steps, permits=1):
        self.process_count = int(processes)
        self.goal = int(steps)
        self.permits = int(permits)
        self.cpus = sorted(os.sched_getaffinity(0))
        if len(self.cpus) < self.process_count:
            sys.exit("this needs %d CPUs" % self.process_count)
        self.is_barrier = kind == "barrier"
        self.run_lap = {"semaphore": self.run_permits, "bounded": self.run_permits,
                        "turns": self.run_turns, "barrier": self.run_barrier}[kind]
        make = multiprocessing.BoundedSemaphore if kind == "bounded" else multiprocessing.Semaphore
        self.semaphores = [make(self.permits), multiprocessing.Semaphore(0)]
        self.measured = multiprocessing.Barrier(self.process_count)
        self.count = RawValue("Q", 0)
        self.rounds = RawArray("Q", self.process_count)
        self.meeting = multiprocessing.Barrier(self.process_count)
        self.reports = multiprocessing.SimpleQueue()  # (begin, end, sum) of each process

    def run_permits(self, _index, step_count):
        acquire, release = self.semaphores[0].acquire, self.semaphores[0].release
        count = self.count
        for _ in range(step_count):
            acquire()
            count.value += 1
            release()
        return step_count

    def run_turns(self, index, step_count):
        acquire, release = self.semaphores[index].acquire, self.semaphores[1 - index].release
        count = self.count
        for _ in range(step_count):
            acquire()
            count.value += 1
            release()
        return step_count

    def run_barrier(self, index, step_count):
        single_count = 0
        for _ in range(step_count):
            self.rounds[index] += 1
            single_count += self.measured.wait() == 0
            if min(self.rounds) < self.rounds[index]:
                sys.exit("somebody goes on while another has not come")
        return single_count

    def take_part(self, index):
        os.sched_setaffinity(0, {self.cpus[index]})
        self.meeting.wait()
        total = self.run_lap(index, self.goal // WARM_UP_DIVISOR)
        self.meeting.wait()
        begin = time.monotonic()
        total += self.run_lap(index, self.goal)
        self.reports.put((begin, time.monotonic(), total))

    def check(self, total):
        expected = self.goal + self.goal // WARM_UP_DIVISOR
        if self.is_barrier:
            is_right = total == expected
        else:
            is_right = total == self.count.value == expected * self.process_count
            is_right = is_right and self.semaphores[0].get_value() == self.permits
        if not is_right:
            sys.exit("a step was taken twice, or not at all")

    def run(self):
        processes = [multiprocessing.Process(target=self.take_part, args=(index,), daemon=True)
                     for index in range(self.process_count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PROCESS_LIMIT_SECONDS)
            if process.exitcode != 0:
                sys.exit("a process ended with %s" % process.exitcode)
        begins, ends, sums = zip(*(self.reports.get() for _ in processes))
        self.check(sum(sums))
        together = 1 if self.is_barrier else self.process_count
        return self.goal * together / (max(ends) - min(begins))


if __name__ == "__main__":
    print("%.6g" % Steps(**arguments_of(sys.argv[1:])).run())
