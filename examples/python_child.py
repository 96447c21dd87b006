"""The Python side of python_child.c: runs in a child that the C program starts."""

import statistics


def answer(connection, greeting):
    connection.send(greeting + ", C!")
    while True:
        try:
            numbers = connection.recv()
        except EOFError:
            return  # the C program has closed its end
        connection.send({"mean": statistics.mean(numbers), "middle": statistics.median(numbers)})
