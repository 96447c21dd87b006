"""Classes that a C program knows nothing about: one for each way to be pickled."""

import enum
from collections import namedtuple


class Plain:
    """Its attributes are its state."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slots:
    """Its state is a pair."""

    __slots__ = ("first", "second")


class Stateful:
    """Its state is not a dict."""

    def __init__(self, value):
        self.value = value

    def __getstate__(self):
        return [self.value]

    def __setstate__(self, state):
        self.value = state[0]


class Reduced:
    """Made by a call of its class."""

    def __new__(cls, *arguments):
        self = super().__new__(cls)
        self.arguments = arguments
        return self

    def __reduce__(self):
        return Reduced, self.arguments


class New:
    """Made by __new__ with arguments."""

    def __new__(cls, *arguments):
        self = super().__new__(cls)
        self.arguments = arguments
        return self

    def __getnewargs__(self):
        return self.arguments

    def __getstate__(self):
        return None


class NewWithKeywords:
    """Made by __new__ with keyword arguments."""

    def __new__(cls, *arguments, **keywords):
        self = super().__new__(cls)
        self.arguments = arguments, keywords
        return self

    def __getnewargs_ex__(self):
        return self.arguments

    def __getstate__(self):
        return None


class Row(list):
    """A list with attributes."""


class Table(dict):
    """A dict with attributes."""


class Members(set):
    """A set with attributes."""


class Text(str):
    """A str with attributes."""


class Number(int):
    """An int with attributes."""


class Outer:
    class Inner(Plain):
        """Its name has a dot."""


class Colour(enum.Enum):
    RED = 1
    GREEN = "green"


Pair = namedtuple("Pair", "first second")


class Failure(Exception):
    """An exception with attributes."""


class Set:
    """Its state is set by a function."""

    def __reduce__(self):
        return Set, (), (self.value,), None, None, set_value


def set_value(instance, value):
    instance.value, = value


def function():
    """A function by its name."""
