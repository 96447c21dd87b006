"""Classes that kin does not know, in all the ways in which Python pickles them."""

import collections
import copyreg
import datetime
import enum
import functools


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None

    class Nested(collections.UserList):
        pass


class Slots:
    __slots__ = ("first", "second")

    def __init__(self, first, second):
        self.first, self.second = first, second

    def __eq__(self, other):
        return type(self) is type(other) and self.first == other.first


class Row(list):
    def __eq__(self, other):
        return type(self) is type(other) and list(self) == list(other) and \
            vars(self) == vars(other)


class Table(dict):
    pass


class Members(set):
    pass


class Keywords:
    def __new__(cls, *, name):
        self = super().__new__(cls)
        self.name = name
        return self

    def __getnewargs_ex__(self):
        return (), {"name": self.name}

    def __eq__(self, other):
        return type(self) is type(other) and self.name == other.name


class State:
    def __init__(self, value):
        self.value = value

    def __getstate__(self):
        return (self.value,)

    def __setstate__(self, state):
        (self.value,) = state

    def __eq__(self, other):
        return type(self) is type(other) and self.value == other.value


def set_value(made, value):
    made.value = value


class Setter(State):
    def __reduce__(self):
        return Setter, (0,), self.value, None, None, set_value


class Zone(datetime.tzinfo):
    def utcoffset(self, moment):
        return datetime.timedelta(hours=1)

    def __eq__(self, other):
        return type(self) is type(other)

    def __repr__(self):
        return "Zone()"


class Tone(enum.Enum):
    LOW = 1
    HIGH = 2


Point = collections.namedtuple("Point", "x y")


def function():
    pass


class Copied(State):
    pass


def make_copied(value):
    return Copied(value)


copyreg.pickle(Copied, lambda copied: (make_copied, (copied.value,)))


class Circle(Plain):
    def __init__(self):
        super().__init__(parts=[self])

    def __eq__(self, other):
        return type(self) is type(other) and other.parts[0] is other


def unknown():
    """What kin keeps as data; the last leads back to itself."""
    row = Row([1, 2])
    row.colour = "red"
    shared = Plain(name="shared")
    values = [Plain(a=1, b=[2]), Plain.Nested([1, 2]), Slots(1, "two"), row, Table(a=1, b=[]),
              Members([1]), Keywords(name="n"), State({"k": 1}), Setter(5), Tone.HIGH,
              Point(1, 2), function, Plain, Copied(7), [shared, shared],
              functools.partial(function, 1, k=2).func, collections.Counter("abca"), Circle()]
    return values
