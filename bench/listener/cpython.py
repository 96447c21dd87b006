#!/usr/bin/python3
"""multiprocessing.connection: Listener and Client with a key, one process that accepts and others
that connect. The laps, the barrier and the clock are those of kin.c."""

import multiprocessing
import os
import sys
import time
from multiprocessing.connection import Client, Listener

PROCESS_LIMIT_SECONDS = 120
KEY = os.urandom(32)


def arguments_of(words):
    return {name[2:]: int(value) for name, value in (word.split("=", 1) for word in words)}


class Door:
    def __init__(self, connections, clients, tcp=0):
        self.each = connections // clients
        self.clients = clients
        self.tcp = tcp
        self.barrier = multiprocessing.Barrier(clients + 1)
        self.addresses = multiprocessing.SimpleQueue()
        self.reports = multiprocessing.SimpleQueue()  # (begin, end) of each process

    def measure(self, lap, count):
        lap(1 if lap == self.connect else self.clients)
        self.barrier.wait()
        begin = time.monotonic()
        lap(count)
        self.reports.put((begin, time.monotonic()))

    def connect(self, count):
        for _ in range(count):
            Client(self.address, authkey=KEY).close()

    def accept(self, count):
        for _ in range(count):
            self.listener.accept().close()

    def run_listener(self):
        place = ("127.0.0.1", 0) if self.tcp else None
        self.listener = Listener(place, backlog=100, authkey=KEY)
        for _ in range(self.clients):
            self.addresses.put(self.listener.address)
        self.measure(self.accept, self.each * self.clients)
        self.listener.close()

    def run_client(self):
        self.address = self.addresses.get()
        self.measure(self.connect, self.each)

    def run(self):
        targets = [self.run_listener] + [self.run_client] * self.clients
        processes = [multiprocessing.Process(target=target, daemon=True) for target in targets]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PROCESS_LIMIT_SECONDS)
            if process.exitcode != 0:
                sys.exit("a process ended with %s" % process.exitcode)
        begins, ends = zip(*(self.reports.get() for _ in processes))
        return self.each * self.clients / (max(ends) - min(begins))


if __name__ == "__main__":
    print("%.6g" % Door(**arguments_of(sys.argv[1:])).run())
