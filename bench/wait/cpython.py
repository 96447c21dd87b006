#!/usr/bin/python3
"""multiprocessing.connection.wait on one-way pipes, or on the pipes of SimpleQueues. The rounds are
those of rounds.c."""

import multiprocessing
import resource
import sys
import time
from multiprocessing.connection import wait

WARM_UP_DIVISOR = 20
STRIDE = 37


def arguments_of(words):
    return {name[2:]: int(value) for name, value in (word.split("=", 1) for word in words)}


class Rounds:
    def __init__(self, things, rounds, queues=0, connections=0):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self.goal = rounds
        del connections  # its pipes are always that
        if queues:
            self.queues = [multiprocessing.SimpleQueue() for _ in range(things)]
            self.readers = [queue._reader for queue in self.queues]
            self.make_ready = [queue.put for queue in self.queues]
            self.take = [queue.get for queue in self.queues]
        else:
            self.pipes = [multiprocessing.Pipe(duplex=False) for _ in range(things)]
            self.readers = [reader for reader, _ in self.pipes]
            self.make_ready = [writer.send_bytes for _, writer in self.pipes]
            self.take = [reader.recv_bytes for reader in self.readers]

    def run_rounds(self, rounds):
        readers, thing = self.readers, 0
        for _ in range(rounds):
            thing = (thing + STRIDE) % len(readers)
            self.make_ready[thing](b"x")
            if wait(readers) != [readers[thing]]:
                sys.exit("the wrong one is ready")
            self.take[thing]()

    def run(self):
        self.run_rounds(self.goal // WARM_UP_DIVISOR + 1)
        begin = time.monotonic_ns()
        self.run_rounds(self.goal)
        return (time.monotonic_ns() - begin) / self.goal


if __name__ == "__main__":
    print("%.6g" % Rounds(**arguments_of(sys.argv[1:])).run())
