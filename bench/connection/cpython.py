#!/usr/bin/python3
"""multiprocessing.Connection with bytes: send_bytes and recv_bytes, one message a call. The laps,
the barrier and the clock are those of exchange.c."""

import multiprocessing
import sys
import time

PROCESS_LIMIT_SECONDS = 120


def arguments_of(words):
    return {name[2:]: int(value) for name, value in (word.split("=", 1) for word in words)}


class Exchange:
    def __init__(self, bytes, messages, ping_pong=0, one_way=0, objects=0):
        self.message = b"x" * bytes
        self.lap = self.lap_of_objects if objects else self.lap_of_bytes
        self.messages = messages
        self.ping_pong = ping_pong
        self.ends = multiprocessing.Pipe(duplex=not one_way)
        self.barrier = multiprocessing.Barrier(2)
        self.reports = multiprocessing.SimpleQueue()  # (begin, end) of each process

    def lap_of_objects(self, end, kept, count):
        item = {"id": 0, "name": "Ada Lovelace", "score": 0.75, "active": True}
        for number in range(count):
            if end == 1:
                item["id"] = number
                kept.send(item)
            if (end == 0 or self.ping_pong) and kept.recv()["id"] != number:
                sys.exit("an object is missing")
            if end == 0 and self.ping_pong:
                item["id"] = number
                kept.send(item)
        return count * len(self.message)

    def lap_of_bytes(self, end, kept, count):
        send, receive, message, size = kept.send_bytes, kept.recv_bytes, self.message, 0
        for _ in range(count):
            if end == 1:
                send(message)
            if end == 0 or self.ping_pong:
                size += len(receive())
            if end == 0 and self.ping_pong:
                send(message)
        return size

    def run_end(self, end):
        kept = self.ends[end]
        self.ends[1 - end].close()
        self.barrier.wait()
        self.lap(end, kept, self.messages // 16 + 1)
        self.barrier.wait()
        begin = time.monotonic()
        size = self.lap(end, kept, self.messages)
        if end == 0 and size != self.messages * len(self.message):
            sys.exit("bytes were lost")
        self.reports.put((begin, time.monotonic()))

    def run(self):
        processes = [multiprocessing.Process(target=self.run_end, args=(end,), daemon=True)
                     for end in (0, 1)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PROCESS_LIMIT_SECONDS)
            if process.exitcode != 0:
                sys.exit("a process ended with %s" % process.exitcode)
        begins, ends = zip(*(self.reports.get() for _ in processes))
        seconds = max(ends) - min(begins)
        return seconds * 1e6 / self.messages if self.ping_pong else self.messages / seconds


if __name__ == "__main__":
    print("%.6g" % Exchange(**arguments_of(sys.argv[1:])).run())
