"""What a child that a C program starts runs."""

import multiprocessing
import os
import sys


def answer(connection, *arguments, **keywords):
    """Sends back what it was given."""
    connection.send((arguments, keywords))


def tell(connection):
    """Sends what multiprocessing made of the child."""
    process = multiprocessing.current_process()
    parent = multiprocessing.parent_process()
    connection.send({
        "name": process.name, "authkey": bytes(process.authkey), "daemon": process.daemon,
        "parent name": parent.name, "parent pid": parent.pid == os.getppid(),
        "start method": multiprocessing.get_start_method(), "argv": sys.argv,
        "folder": os.getcwd()})


def end(code):
    sys.exit(code)


def fail():
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # the traceback is nobody's concern
    raise ValueError("as the test wants it")


def talk(connection):
    """Sends back twice what comes, until the end of the file."""
    while True:
        try:
            connection.send(2 * connection.recv())
        except EOFError:
            return


def outlive(connection):
    """Tells when the parent has gone."""
    parent = multiprocessing.parent_process()
    connection.send(parent.is_alive())
    parent.join()
    connection.send(parent.is_alive())


def breed(connection):
    """Has a child of its own, and a queue with it."""
    context = multiprocessing.get_context()
    queue = context.Queue()
    child = context.Process(target=put_name, args=(queue,))
    child.start()
    connection.send(queue.get())
    child.join()
    connection.send(child.exitcode)


def put_name(queue):
    queue.put(multiprocessing.parent_process().name)


def count_up(connection, lock, fd, turns):
    """Counts up a number of 4 bytes in memory that is shared with the C program."""
    import mmap
    with mmap.mmap(fd, 4) as memory:
        connection.send("begin")
        for _ in range(turns):
            with lock:
                number = int.from_bytes(memory[:4], sys.byteorder)
                memory[:4] = (number + 1).to_bytes(4, sys.byteorder)
