"""Random values: the same for the same seed."""

import array
import collections
import datetime
import decimal
import fractions
import functools
import math
import pathlib
import random
import struct
import uuid

import classes

DEPTH_MAX = 6
EDGES = (0, 1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**61 - 1, 2**61, 2**63 - 1, 2**63,
         2**64, 2**2032 - 1, 2**2040)
FLOATS = (0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 0.1, -1.5)
ALPHABET = "abcxyz \n'\\\"\x00\x7f\xe9\xff\u0100\u20ac\ud800\udfff\ufffe\U0001f600\U0010ffff"
GLOBALS = (len, list, classes.Plain, classes.Outer.Inner, classes.function, math.sqrt, Exception,
           collections.OrderedDict, datetime.date, array.array)
EXCEPTIONS = (ValueError, KeyError, OSError, StopIteration, classes.Failure, UnicodeError)


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.made = []  # what may come a second time
        self.keys = []
        self.open = []  # what is being filled: may come inside itself
        self.left = self.random.choice((1, 5, 20, 40, 80))

    def value(self, depth=0):
        """Any value."""
        chance = self.random.random()
        self.left -= 1
        if self.made and chance < 0.1:
            return self.random.choice(self.made)
        if self.open and chance < 0.12:
            return self.random.choice(self.open)
        if depth >= DEPTH_MAX or self.left <= 0 or chance < 0.4:
            return self.leaf()
        value = self.random.choice(CONTAINERS)(self, depth + 1)
        self.made.append(value)
        return value

    def leaf(self):
        value = self.random.choice(LEAVES)(self)
        self.made.append(value)
        return value

    def key(self, depth=0):
        """One that can be a key: no NaN, nothing that can change."""
        if self.keys and self.random.random() < 0.1:
            return self.random.choice(self.keys)
        if depth < 3 and self.random.random() < 0.2:
            kind = self.random.choice((tuple, frozenset))
            value = kind(self.key(depth + 1) for _ in range(self.count()))
        else:
            value = self.random.choice(KEYS)(self)
        self.keys.append(value)
        return value

    def count(self):
        return self.random.choice((0, 1, 1, 2, 3, 4, 5))

    def values(self, depth):
        return [self.value(depth) for _ in range(self.count())]

    # --- leaves ---

    def singleton(self):
        return self.random.choice((None, True, False, Ellipsis, NotImplemented, type(None)))

    def integer(self):
        number = self.random.choice(EDGES) + self.random.choice((-1, 0, 0, 1))
        if self.random.random() < 0.3:
            number = self.random.getrandbits(self.random.choice((8, 31, 64, 127, 300, 5000)))
        return self.random.choice((number, -number))

    def floating(self):
        if self.random.random() < 0.5:
            return self.random.choice(FLOATS)
        return struct.unpack("<d", struct.pack("<Q", self.random.getrandbits(64)))[0]

    def number_key(self):
        return self.random.choice((self.random.randrange(100), self.random.random(), True,
                                   2**70, -1, complex(1, self.random.random())))

    def complex(self):
        return complex(self.random.choice(FLOATS), self.random.choice(FLOATS))

    def text(self):
        size = self.random.choice((0, 1, 2, 3, 8, 8, 40, 300))
        return "".join(self.random.choices(ALPHABET, k=size))

    def data(self):
        size = self.random.choice((0, 1, 2, 3, 8, 40, 255, 256, 1000))
        return self.random.getrandbits(8 * size + 1).to_bytes(size + 1, "little")[:size]

    def changing_data(self):
        return bytearray(self.data())

    def name(self):
        return self.random.choice(GLOBALS)

    # --- containers ---

    def filled(self, container, fill):
        self.open.append(container)
        fill(container)
        self.open.pop()
        return container

    def list(self, depth):
        return self.filled([], lambda items: items.extend(self.values(depth)))

    def tuple(self, depth):
        return tuple(self.values(depth))

    def fill_dict(self, pairs, depth):
        for _ in range(self.count()):
            key = self.key()
            if key not in pairs:
                pairs[key] = self.value(depth)

    def dict(self, depth):
        return self.filled({}, lambda pairs: self.fill_dict(pairs, depth))

    def set(self, depth):
        return {self.key(depth) for _ in range(self.count())}

    def frozenset(self, depth):
        return frozenset(self.set(depth))

    # --- instances: of kin's standard classes ---

    def date(self):
        day = datetime.date(1 + self.random.randrange(9999), 1 + self.random.randrange(12), 17)
        clock = datetime.time(self.random.randrange(24), 59, 7, self.random.randrange(1000000))
        zone = datetime.timezone(datetime.timedelta(minutes=self.random.randrange(-900, 900)))
        zone = self.random.choice((None, datetime.timezone.utc, zone))
        return self.random.choice((
            day, clock, zone, datetime.datetime.combine(day, clock, zone),
            clock.replace(tzinfo=zone), datetime.timedelta(self.random.randrange(-999, 999), 7, 1)))

    def decimal(self):
        return decimal.Decimal(self.random.choice(
            ("0", "-0", "1.50", "NaN", "-Infinity", "1E+1000", "123456789.987654321", "sNaN42")))

    def uuid(self):
        return uuid.UUID(int=self.random.getrandbits(128))

    def range(self):
        return range(self.integer(), self.integer(), self.random.choice((1, -3, 2**70)))

    def slice(self):
        return slice(self.random.choice((None, 1)), self.integer(), self.random.choice((None, 2)))

    def array(self):
        code = self.random.choice("bBhHiIlLqQfdu")
        if code == "u":
            return array.array(code, "a\u20ac\U0001f600")
        convert = float if code in "fd" else int
        return array.array(code, [convert(self.random.randrange(100)) for _ in range(self.count())])

    def exception(self, depth):
        return self.random.choice(EXCEPTIONS)(*self.values(depth))

    def ordered(self, depth):
        kind = collections.OrderedDict
        return self.filled(kind(), lambda pairs: self.fill_dict(pairs, depth))

    def deque(self, depth):
        kind = collections.deque((), self.random.choice((None, 5)))
        return self.filled(kind, lambda items: items.extend(self.values(depth)))

    def defaultdict(self, depth):
        kind = collections.defaultdict(self.random.choice((None, list, int)))
        return self.filled(kind, lambda pairs: self.fill_dict(pairs, depth))

    # --- instances: of others ---

    def counter(self, depth):
        return collections.Counter(self.key(depth) for _ in range(self.count()))

    def plain(self, depth):
        kind = self.random.choice((classes.Plain, classes.Outer.Inner))

        def fill(instance):
            instance.__dict__.update(self.attributes(depth))
        return self.filled(kind(), fill)

    def attributes(self, depth):
        return {"attribute%d" % i: self.value(depth) for i in range(self.count())}

    def slots(self, depth):
        def fill(instance):
            instance.second = self.value(depth)
        return self.filled(classes.Slots(), fill)

    def stateful(self, depth):
        return classes.Stateful(self.value(depth))

    def set_by_function(self, depth):
        instance = classes.Set()
        instance.value = self.value(depth)
        return instance

    def called(self, depth):
        kind = self.random.choice((classes.Reduced, classes.New, classes.Pair))
        return kind(*(self.value(depth) for _ in range(2)))

    def with_keywords(self, depth):
        return classes.NewWithKeywords(*self.values(depth), **self.attributes(depth))

    def derived(self, depth):
        kind, fill = self.random.choice((
            (classes.Row, lambda row: row.extend(self.values(depth))),
            (classes.Table, lambda table: self.fill_dict(table, depth)),
            (classes.Members, lambda members: members.update(self.set(depth)))))

        def fill_all(instance):
            fill(instance)
            instance.__dict__.update(self.attributes(depth))
        return self.filled(kind(), fill_all)

    def derived_leaf(self, depth):
        instance = self.random.choice((classes.Text(self.text()), classes.Number(self.integer())))
        return self.filled(instance, lambda leaf: leaf.__dict__.update(self.attributes(depth)))

    def library(self, depth):
        return self.random.choice((
            fractions.Fraction(self.integer(), 7), pathlib.PurePosixPath("/a/b"),
            classes.Colour.RED, classes.Colour.GREEN, self.text().encode, classes.Plain().__init__))

    def partial(self, depth):
        return functools.partial(classes.function, *self.values(depth))

    def failure(self, depth):
        instance = classes.Failure(*self.values(depth))
        instance.__dict__.update(self.attributes(depth))
        return instance


KEYS = (Generator.number_key, Generator.text, Generator.text, Generator.data, Generator.uuid)
LEAVES = (Generator.singleton, Generator.integer, Generator.integer, Generator.floating,
          Generator.floating, Generator.complex, Generator.text, Generator.text, Generator.data,
          Generator.changing_data, Generator.name, Generator.date, Generator.decimal,
          Generator.uuid, Generator.range, Generator.slice, Generator.array)
PLAIN_CONTAINERS = (Generator.list, Generator.tuple, Generator.dict, Generator.set,
                    Generator.frozenset)
CONTAINERS = PLAIN_CONTAINERS * 3 + (
    Generator.exception, Generator.ordered, Generator.deque, Generator.defaultdict,
    Generator.counter, Generator.plain, Generator.plain, Generator.slots, Generator.stateful,
    Generator.set_by_function, Generator.called, Generator.with_keywords, Generator.derived,
    Generator.derived_leaf, Generator.library, Generator.partial, Generator.failure)


def generate(seed):
    return Generator(seed).value()
