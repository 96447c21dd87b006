#!/usr/bin/python3
"""A multiprocessing.Pipe, the fastest that CPython has between two processes, with 8 bytes a
message. The two ways to take the time are those of round_trip.c."""

import multiprocessing
import os
import resource
import statistics
import struct
import sys
import time

WARM_UP_COUNT = 256
PROCESS_LIMIT_SECONDS = 120
WORD = struct.Struct("q")


def arguments_of(words):
    return {name[2:]: int(value) for name, value in (word.split("=", 1) for word in words)}


def sleep_count():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


class RoundTrips:
    def __init__(self, samples, cpus, group=1, pause_us=0):
        self.sample_count = samples
        self.group = group
        self.pause_ns = pause_us * 1000
        self.cpus = sorted(os.sched_getaffinity(0))[:cpus]
        if len(self.cpus) < cpus:
            sys.exit("this needs %d CPUs" % cpus)
        self.ends = multiprocessing.Pipe()
        self.barrier = multiprocessing.Barrier(2)
        self.reports = [multiprocessing.SimpleQueue() for _ in range(2)]

    def bounce(self, side, sample_count, group):
        """Side 0: ns of a round trip, for each sample."""
        send, receive = self.ends[side].send_bytes, self.ends[side].recv_bytes
        pack, unpack, now_ns = WORD.pack, WORD.unpack, time.monotonic_ns
        samples = []
        if side == 1:
            for _ in range(sample_count * group):
                send(receive())
            return samples
        begin = now_ns()
        for sample in range(sample_count):
            for number in range(sample, sample + group):
                send(pack(number))
                if unpack(receive())[0] != number:
                    sys.exit("the wrong word came back")
            end = now_ns()
            samples.append((end - begin) / group)
            begin = end
        return samples

    def bounce_with_pauses(self, side, sample_count):
        """ns of the way to this side, for each sample."""
        send, receive = self.ends[side].send_bytes, self.ends[side].recv_bytes
        pack, unpack, now_ns = WORD.pack, WORD.unpack, time.monotonic_ns
        samples = []
        for _ in range(sample_count):
            if side == 1:
                sent = unpack(receive())[0]
                samples.append(now_ns() - sent)
            now = now_ns()
            until = now + self.pause_ns
            while now < until:
                now = now_ns()
            send(pack(now))
            if side == 0:
                sent = unpack(receive())[0]
                samples.append(now_ns() - sent)
        return samples

    def take_turns(self, side, sample_count, group):
        if self.pause_ns:
            return self.bounce_with_pauses(side, sample_count)
        return self.bounce(side, sample_count, group)

    def take_part(self, side):
        os.sched_setaffinity(0, {self.cpus[side % len(self.cpus)]})
        self.barrier.wait()
        self.take_turns(side, min(WARM_UP_COUNT, self.sample_count), 1)
        self.barrier.wait()
        sleeps = sleep_count()
        samples = self.take_turns(side, self.sample_count, self.group)
        sleeps = sleep_count() - sleeps
        waits = self.sample_count * self.group
        if (self.pause_ns or len(self.cpus) == 1) and sleeps < waits / 2:
            sys.exit("slept %d times in %d waits" % (sleeps, waits))
        self.reports[side].put(samples)

    def run(self):
        processes = [multiprocessing.Process(target=self.take_part, args=(side,), daemon=True)
                     for side in range(2)]
        for process in processes:
            process.start()
        samples = [report.get() for report in self.reports]
        for process in processes:
            process.join(PROCESS_LIMIT_SECONDS)
            if process.exitcode != 0:
                sys.exit("a process ended with %s" % process.exitcode)
        if self.pause_ns:
            return statistics.median(map(sum, zip(*samples)))
        return statistics.median(samples[0])


if __name__ == "__main__":
    print("%.6g" % RoundTrips(**arguments_of(sys.argv[1:])).run())
