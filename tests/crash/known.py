#!/usr/bin/python3
"""known.py lock|queue SECONDS: what multiprocessing does when a holder or reader is killed.

Played by tests/crash/known.c, whose exit codes these are: 100 goes on, 102 hangs (for so many
seconds).
"""

import multiprocessing
import os
import signal
import sys
import time

GOES_ON, HANGS = 100, 102
PAUSE_SECONDS = 0.001
LIFE_SECONDS = 60  # of a process that nobody was left to end

fork = multiprocessing.get_context("fork")


def is_asleep(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


def start(part, shared):
    """Starts a process that runs the part, and waits until it sleeps in it."""
    reader, writer = os.pipe()

    def run():
        signal.alarm(LIFE_SECONDS)
        os.write(writer, b"x")
        part(shared)

    process = fork.Process(target=run, daemon=True)
    process.start()
    os.read(reader, 1)
    while not is_asleep(process.pid):
        time.sleep(PAUSE_SECONDS)
    return process


def hold(lock):
    lock.acquire()
    signal.pause()


def take(lock):
    lock.acquire()


def get(queue):
    queue.get()


def end(process):
    process.kill()
    process.join()


def kill_holder(seconds):
    lock = fork.Lock()
    holder = start(hold, lock)
    other = start(take, lock)
    end(holder)
    other.join(seconds)
    return other


def kill_reader(seconds):
    queue = fork.Queue()
    reader = start(get, queue)
    other = start(get, queue)
    end(reader)
    queue.put("x")
    other.join(seconds)
    return other


def main():
    schedules = {"lock": kill_holder, "queue": kill_reader}
    other = schedules[sys.argv[1]](float(sys.argv[2]))
    is_hanging = other.is_alive()
    end(other)
    os._exit(HANGS if is_hanging else GOES_ON)  # no farewell to what nobody reads


main()
