#!/usr/bin/python3
"""queue.Queue between threads of CPython. The laps, the barrier and the clock are those of
traffic.c."""

import queue
import sys
import threading
import time


def arguments_of(words):
    pairs = (word[2:].split("=", 1) for word in words)
    return {name: 0 if value == "none" else int(value) for name, value in pairs}


class Traffic:
    def __init__(self, producers, consumers, items, capacity, batch):
        self.producers = producers
        self.consumers = consumers
        self.items = items
        share = producers * consumers
        self.warm_up = (2 * capacity + items // 16 + share - 1) // share * share
        self.queue = queue.Queue(capacity)
        self.barrier = threading.Barrier(producers + consumers)
        self.begins, self.ends, self.sums = [], [], []

    def produce(self, index):
        put = self.queue.put
        for count in (self.warm_up // self.producers, self.items // self.producers):
            self.barrier.wait()
            begin = time.monotonic()
            for number in range(1 + index * count, 1 + index * count + count):
                put(number)
        self.begins.append(begin)

    def consume(self):
        get = self.queue.get
        for count in (self.warm_up // self.consumers, self.items // self.consumers):
            self.barrier.wait()
            total = 0
            for _ in range(count):
                total += get()
        self.ends.append(time.monotonic())
        self.sums.append(total)

    def run(self):
        threads = [threading.Thread(target=self.produce, args=(i,)) for i in range(self.producers)]
        threads += [threading.Thread(target=self.consume) for _ in range(self.consumers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if sum(self.sums) != self.items * (self.items + 1) // 2:
            sys.exit("items were lost, or taken twice")
        return self.items / (max(self.ends) - min(self.begins))


if __name__ == "__main__":
    print("%.6g" % Traffic(**arguments_of(sys.argv[1:])).run())
