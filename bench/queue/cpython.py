#!/usr/bin/python3
"""multiprocessing.Queue with bytes, as its users use it: pickled, through a feeder thread and a
pipe. The laps, the barrier and the clock are those of traffic.c. A payload is one byte value
repeated, which Python can write, and search through for another one, in one pass at C speed.

It has neither batches nor a way to write in place: `batch` and `zero_copy` change nothing."""

import multiprocessing
import sys
import time

ABSENT = b"\xff"  # no payload has it, so a search for it reads every byte
PROCESS_LIMIT_SECONDS = 120


def arguments_of(words):
    return {name[2:]: int(value) for name, value in (word.split("=", 1) for word in words)}


class Traffic:
    def __init__(self, bytes, producers, consumers, messages, capacity, batch=1, zero_copy=0):
        self.bytes = bytes
        self.producers = producers
        self.consumers = consumers
        self.messages = messages
        share = producers * consumers
        self.warm_up = (2 * min(capacity, 64) + messages // 16 + share - 1) // share * share
        self.queue = multiprocessing.Queue(capacity)
        self.barrier = multiprocessing.Barrier(producers + consumers)
        self.reports = multiprocessing.SimpleQueue()  # (begin, end, sum) of each process

    def put_all(self, count):
        put, size = self.queue.put, self.bytes
        for number in range(count):
            put(bytes((number % 255,)) * size)

    def get_all(self, count):
        get, size, total = self.queue.get, self.bytes, 0
        for _ in range(count):
            message = get()
            if message.find(ABSENT) != -1 or len(message) != size:
                sys.exit("a message is damaged")
            total += message[0]
        return total

    def produce(self):
        self.barrier.wait()
        self.put_all(self.warm_up // self.producers)
        self.barrier.wait()
        begin = time.monotonic()
        self.put_all(self.messages // self.producers)
        self.reports.put((begin, None, 0))

    def consume(self):
        self.barrier.wait()
        self.get_all(self.warm_up // self.consumers)
        self.barrier.wait()
        total = self.get_all(self.messages // self.consumers)
        self.reports.put((None, time.monotonic(), total))

    def run(self):
        roles = [self.produce] * self.producers + [self.consume] * self.consumers
        processes = [multiprocessing.Process(target=role, daemon=True) for role in roles]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PROCESS_LIMIT_SECONDS)
            if process.exitcode != 0:
                sys.exit("a process ended with %s" % process.exitcode)
        begins, ends, totals = zip(*(self.reports.get() for _ in processes))
        sent = self.producers * sum(n % 255 for n in range(self.messages // self.producers))
        if sum(totals) != sent:
            sys.exit("messages were lost, or taken twice")
        begin = min(begin for begin in begins if begin is not None)
        end = max(end for end in ends if end is not None)
        return self.messages / (end - begin)


if __name__ == "__main__":
    print("%.6g" % Traffic(**arguments_of(sys.argv[1:])).run())
