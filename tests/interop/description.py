"""Graphs of objects as bytes: two are the same if they hold the same values, of the same types, in
the same order, and have the same shared references. description.c makes the same bytes of objects
in C.

    N T F                       None, True, False
    i<hex>;  f<8 bytes>  c<16>  int, float, complex: NaN by its bits, -0.0 is not 0.0
    s<size>:<bytes>  b  a       str in UTF-8, bytes, bytearray
    l<count>:...  t  d  S  Z    list, tuple, dict, set, frozenset; sets in the order of what their
                                members would be alone
    g<name>;                    a class or function
    R<name>;<repr>;             an instance whose repr says all
    I<name>(...)                another: what it is made with
        |<state>  L<count>:...  D<count>:...    and its state, items, values by keys
    @<number>;                  what was there already, as the <number>th that is numbered

What has no identity that a pickle keeps is not numbered: numbers, empty tuples and frozensets, very
short str and bytes.
"""

import array
import collections
import copyreg
import datetime
import decimal
import struct
import types
import uuid

REPRESENTED = (datetime.date, datetime.time, datetime.datetime, datetime.timedelta,
               datetime.timezone, decimal.Decimal, uuid.UUID, range, slice, array.array)
GLOBALS = (type, types.FunctionType, types.BuiltinFunctionType)


class Description:
    def __init__(self):
        self.parts = []
        self.numbers = {}
        self.count = 0  # of numbers
        self.kept = []  # so that no id is used twice

    def seen(self, value):
        """Whether a value was there before; if not, it gets the next number."""
        number = self.numbers.setdefault(id(value), len(self.numbers))
        if number != self.count:
            self.parts.append(b"@%d;" % number)
            return True
        self.count += 1
        self.kept.append(value)
        return False

    def add(self, value):
        DESCRIBE.get(type(value), Description.add_other)(self, value)

    def add_all(self, letter, values):
        self.parts.append(b"%s%d:" % (letter, len(values)))
        for value in values:
            self.add(value)

    def add_none(self, value):
        self.parts.append(b"N")

    def add_bool(self, value):
        self.parts.append(b"T" if value else b"F")

    def add_int(self, value):
        self.parts.append(b"i%x;" % value)

    def add_float(self, value):
        self.parts.append(b"f" + struct.pack(">d", value))

    def add_complex(self, value):
        self.parts.append(b"c" + struct.pack(">dd", value.real, value.imag))

    def add_str(self, value):
        data = value.encode("utf-8", "surrogatepass")
        if len(data) < 3 or not self.seen(value):
            self.parts.append(b"s%d:%s" % (len(data), data))

    def add_bytes(self, value):
        if len(value) < 2 or not self.seen(value):
            self.parts.append(b"b%d:%s" % (len(value), value))

    def add_bytearray(self, value):
        if not self.seen(value):
            self.parts.append(b"a%d:%s" % (len(value), value))

    def add_list(self, value):
        if not self.seen(value):
            self.add_all(b"l", value)

    def add_tuple(self, value):
        if not value or not self.seen(value):
            self.add_all(b"t", value)

    def add_pairs(self, letter, pairs):
        self.parts.append(b"%s%d:" % (letter, len(pairs)))
        for key, value in pairs:
            self.add(key)
            self.add(value)

    def add_dict(self, value):
        if not self.seen(value):
            self.add_pairs(b"d", value.items())

    def add_set(self, value):
        if not self.seen(value):
            self.add_all(b"S", sorted(value, key=describe))

    def add_frozenset(self, value):
        if not value or not self.seen(value):
            self.add_all(b"Z", sorted(value, key=describe))

    def add_deque(self, value):
        if not self.seen(value):
            bound = () if value.maxlen is None else (value.maxlen,)
            self.add_made("collections.deque", bound)
            self.add_all(b"L", value)

    def add_made(self, name, arguments):
        self.parts.append(b"I%s(" % name.encode())
        for argument in arguments:
            self.add(argument)
        self.parts.append(b")")

    def add_attributes(self, attributes):
        """A dict whose keys Python makes one with others of the same text."""
        self.parts.append(b"d%d:" % len(attributes))
        for key, value in attributes.items():
            self.parts.append(b"%s=" % key.encode())
            self.add(value)

    def add_state(self, state):
        self.parts.append(b"|")
        if type(state) is dict:
            self.add_attributes(state)
        elif type(state) is tuple and len(state) == 2 and type(state[1]) is dict:
            self.add(state[0])
            self.add_attributes(state[1])
        else:
            self.add(state)

    def add_named(self, value):
        self.parts.append(b"g%s;" % repr(value).encode())

    def add_other(self, value):
        owner = getattr(value, "__self__", None)
        if isinstance(value, GLOBALS) and (owner is None or isinstance(owner, types.ModuleType)):
            self.parts.append(b"g%s;" % full_name(value).encode())
            return
        if self.seen(value):
            return
        if type(value) in REPRESENTED:
            self.parts.append(b"R%s;%s;" % (full_name(type(value)).encode(), repr(value).encode()))
            return
        if isinstance(value, (set, frozenset)):
            self.add_made(full_name(type(value)), ())
            self.add_all(b"S", sorted(value, key=describe))
            self.add_state(value.__dict__)
            return
        made = value.__reduce_ex__(4)
        self.kept.append(made)
        self.add_reduced(*made)

    def add_reduced(self, function, arguments, state=None, items=None, pairs=None, setter=None):
        if function is copyreg.__newobj__:
            self.add_made(full_name(arguments[0]), arguments[1:])
        elif function is copyreg.__newobj_ex__:
            self.add_made(full_name(arguments[0]), arguments[1])
            self.add_pairs(b"K", arguments[2].items())
        else:
            self.add_made(full_name(function), arguments)
        if setter is not None:
            self.add(state)
        elif state is not None and state != {}:
            self.add_state(state)
        if items is not None:
            self.add_all(b"L", list(items))
        if pairs is not None:
            self.add_pairs(b"D", list(pairs))
        if setter is not None:
            self.parts.append(b"E%s;" % full_name(setter).encode())


def full_name(thing):
    module = getattr(thing, "__module__", None) or "builtins"
    name = thing.__qualname__
    return name if module == "builtins" else module + "." + name


DESCRIBE = {
    type(None): Description.add_none, bool: Description.add_bool, int: Description.add_int,
    float: Description.add_float, complex: Description.add_complex, str: Description.add_str,
    bytes: Description.add_bytes, bytearray: Description.add_bytearray,
    list: Description.add_list, tuple: Description.add_tuple, dict: Description.add_dict,
    set: Description.add_set, frozenset: Description.add_frozenset,
    collections.deque: Description.add_deque,
    type(Ellipsis): Description.add_named, type(NotImplemented): Description.add_named,
}


def describe(value):
    description = Description()
    description.add(value)
    return b"".join(description.parts)


def difference(first, second):
    """Where two descriptions begin to differ, in a few words."""
    at = next((i for i, (a, b) in enumerate(zip(first, second)) if a != b),
              min(len(first), len(second)))
    start = max(0, at - 60)
    return "at byte %d:\n  %r\n  %r" % (at, first[start:at + 60], second[start:at + 60])
