"""kin pickle, beside Python's pickle and pickletools: checks.py KIN PROJECT"""

import array
import collections
import datetime
import decimal
import io
import json
import os
import pickle
import pickletools
import pty
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import sample

KIN, PROJECT = sys.argv[1], sys.argv[2]
failures = []
passed = 0


def run(arguments, data=b"", **options):
    return subprocess.run([KIN, *arguments], input=data, capture_output=True, timeout=60,
                          check=False, **options)


def check(name, condition, *more):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(name)
        print("FAIL", name, *more)


def output(arguments, data=b""):
    """What a command that ends well writes."""
    done = run(["pickle", *arguments], data)
    check(f"status of {arguments}", done.returncode == 0 and done.stderr == b"", done)
    return done.stdout


PLAIN = [
    None, True, False, 0, -1, 255, 256, 65536, 2**31, -2**31 - 1, 2**63, -2**63, 2**200, -10**40,
    0.0, -0.0, 0.1, 1e300, 5e-324, float("inf"), 1 + 2j, "", "text", "é€😀", "it's", 'say "x"',
    "\n\t\0",
    "\ud800", b"", b"\x00\xff'", bytearray(b"ab"), [], [1, [2, [3]]], (), (1,), (1, 2, 3, 4), {},
    {"a": 1, 2: "b", (1, 2): None}, {1}, set(), frozenset(), frozenset([5]),
    {"$dict": 1}, {"$int": "5"}, {"a\0b": 1}, {"\udc80": 2}, list(range(300)),
    {str(i): i for i in range(300)},
]

STANDARD = [
    datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.datetime(2020, 1, 2, fold=1),
    datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.date(1, 1, 1),
    datetime.datetime(2020, 1, 2, 3, 4, 5, fold=1, tzinfo=datetime.timezone.utc),
    datetime.time(1, 2, 3, 4, datetime.timezone(datetime.timedelta(hours=-3), "X"), fold=1),
    datetime.time(0, 0), datetime.timedelta(-1, 5, 6), datetime.timedelta(0),
    datetime.timedelta(microseconds=1), datetime.timezone.utc,
    datetime.timezone(datetime.timedelta(hours=1)), decimal.Decimal("1.50"),
    decimal.Decimal("-Infinity"), uuid.UUID(int=2**128 - 1), uuid.uuid1(), range(5),
    range(10, 0, -3), slice(1, None, 2), collections.deque([1, 2], 3), collections.deque([]),
    array.array("i", [1, -2]), array.array("d", [0.5]), array.array("B"),
    array.array("Q", [2**64 - 1]),
    ValueError("x", 1), KeyError(), FileNotFoundError(2, "no such", "file"), type(None),
    Ellipsis, NotImplemented,
]

noted = ValueError("x")
noted.note = ["kept", {"as": "state"}]
# Those that are shown in another form than CPython's, or differently by its versions.
OTHERS = [
    collections.OrderedDict([("b", 1), ("a", [2])]), collections.defaultdict(list, {1: [2]}),
    collections.defaultdict(None, {1: 2}), len, dict, os.path.join,
    array.array("u", "aé"), noted, OSError(1, "no", "from", None, "to"), ImportError("i", name="n"),
    UnicodeDecodeError("utf8", b"\xff", 0, 1, "bad"), queue.Empty(), queue.Full(1),
    subprocess.CalledProcessError(1, ["ls"], b"out"),
    datetime.datetime(2020, 1, 1, tzinfo=sample.Zone()),
    [datetime.date(2020, 1, 1)] * 2, {decimal.Decimal("1.5"): uuid.UUID(int=3)},
    {uuid.UUID(int=3), datetime.timedelta(1), range(3)},
]
if sys.version_info >= (3, 11):
    OTHERS.append(ExceptionGroup("two", [ValueError(1), KeyError("k")]))


def same(first, second):
    """Equality that looks into exceptions and circles as well."""
    if isinstance(first, BaseException) and hasattr(first, "exceptions"):
        return first.message == second.message and \
            all(map(same, first.exceptions, second.exceptions))
    if isinstance(first, BaseException):
        return type(first) is type(second) and first.args == second.args and \
            vars(first) == vars(second)
    return type(first) is type(second) and (repr(first) == repr(second) or first == second)


def pickles(value, protocols):
    """(protocol, pickle): objects with slots have none of protocols 0 and 1."""
    for protocol in protocols:
        try:
            yield protocol, pickle.dumps(value, protocol)
        except TypeError:
            check(f"{value!r} has a pickle", protocol < 2)


def pickles_of(values, protocols):
    """All of them: [(value, protocol, pickle)]"""
    return [(value, protocol, data) for value in values
            for protocol, data in pickles(value, protocols)]


def all_of(arguments, rows):
    """What a command makes of many pickles in one input."""
    return output(arguments, b"".join(data for _, _, data in rows))


def check_repr():
    # An OSError is what its number says; Python finds out when it loads one of protocol 0 to 2.
    rows = [row for row in pickles_of(PLAIN + STANDARD, (0, 2, 4, 5))
            if not isinstance(row[0], OSError) or row[1] > 2]
    shown = all_of(["--repr"], rows).decode("utf-8", "replace").splitlines()
    check("each has a line", len(shown) == len(rows))
    for (value, protocol, data), line in zip(rows, shown):
        expected = repr(pickle.loads(data)) # protocols up to 2 know no fold
        check(f"repr of {value!r}, protocol {protocol}", line == expected, line)


def check_disassembly():
    recursive = [1]
    recursive.append(recursive)
    rows = pickles_of(PLAIN[:-2] + STANDARD + OTHERS + sample.unknown() +
                      [recursive, list(range(2000))], range(6))
    shown = re.split(r"# pickle \d+, at offset \d+\n",
                     all_of(["--disassemble"], rows).decode("utf-8", "replace"))
    check("each is disassembled", len(shown) == len(rows))
    for (value, protocol, data), text in zip(rows, shown):
        expected = io.StringIO()
        pickletools.dis(data, expected)
        expected = re.sub(r" +\n", "\n", expected.getvalue())
        check(f"disassembly of {value!r}, protocol {protocol}"[:200], text == expected, text[:2000],
              expected[:2000])


def check_equal(name, rows, pickled):
    """Pickles, one behind the other, are equal to the first ones when Python loads both."""
    file = io.BytesIO(pickled)
    for value, protocol, data in rows:
        name_of_value = f"{name}: {value!r} of protocol {protocol}"[:200]
        try:
            again = pickle.load(file)
            check(name_of_value, same(pickle.loads(data), again), again)
        except Exception as error: # whatever is in the pickle
            check(name_of_value, False, repr(error))
            return
    check(f"{name}: nothing is behind", file.read() == b"")


def check_pickle():
    rows = pickles_of(PLAIN + STANDARD + OTHERS + sample.unknown(), range(6))
    for protocol in (2, 3, 4, 5):
        check_equal(f"as protocol {protocol}", rows,
                    all_of(["--pickle", f"--protocol={protocol}"], rows))


def check_json():
    rows = pickles_of(PLAIN + STANDARD + OTHERS + sample.unknown()[:-1], (4,))
    text = all_of(["--json"], rows)
    lines = [json.loads(line) for line in text.splitlines()]
    check("each has a line of JSON", len(lines) == len(rows))
    check_equal("JSON", rows, output(["--from=json", "--pickle"], text))
    text = all_of(["--json", "--indent=2"], rows)
    check_equal("JSON in lines", rows, output(["--from=json", "--pickle"], text))
    check("lines of JSON say the same", json.loads(output(["-j", "--indent=2"], rows[-1][2])) ==
          lines[-1])
    check("JSON of Python", output(["--from=json"], b'[1, {"a": [0.5, null]}] "next"\n 3') ==
          b"[1, {'a': [0.5, None]}]\n'next'\n3\n")
    for text in (b"[1", b'{"$int": "x"}', b'{"$bytes": "a"}', b'{"$nothing": 1}',
                 b'{"$instance": "no", "module": "no"}', b'{"$set": [[]]}', b'{"$opaque": "x"}',
                 b'{"$dict": [[1]]}', b'{"$float": "1"}', b'{"$array": ["i", ["x"]]}',
                 b'{"$pickle": 1}'):
        done = run(["pickle", "--from=json"], text)
        check(f"bad JSON {text}", done.returncode == 1 and b"offset " in done.stderr and
              not done.stdout, done)
    circle = [1]
    circle.append(circle)
    done = run(["pickle", "--json"], pickle.dumps(circle))
    check("a circle is no JSON", done.returncode == 1 and b"leads back" in done.stderr and
          not done.stdout, done)
    shared = []
    for _ in range(30):
        shared = [shared, shared]
    done = run(["pickle", "--json", "--output-max=1K"], pickle.dumps(shared))
    check("shared lists are limited", done.returncode == 1 and b"output" in done.stderr and
          len(done.stdout) <= 1024, done)


def check_several():
    data = pickle.dumps(1) + pickle.dumps([2], 0) + pickle.dumps("three", 5)
    check("several pickles", output([], data) == b"1\n[2]\n'three'\n")
    check("several disassembled", output(["-d"], data).count(b"highest protocol") == 3)
    done = run(["pickle"], data + b"\xff")
    check("what is behind is looked at", done.returncode == 1 and
          done.stdout == b"1\n[2]\n'three'\n" and
          f"offset {len(data)}, no opcode".encode() in done.stderr, done)


def check_bad():
    bad = {b"": "offset 0: there is nothing", b"\x80\x04": "offset 2, no opcode",
           b"\x80\x04K": "offset 2, BININT1: ", b"\x80\x04R.": "offset 2, REDUCE: ",
           b"\x80\x04N": "offset 3, no opcode", b"\x80\x0aN.": "offset 0, PROTO: ",
           b"\x80\x04h\x05.": "offset 2, BINGET: ", b"P1\n.": "offset 0, PERSID: "}
    for data, words in bad.items():
        done = run(["pickle"], data)
        check(f"bad pickle {data}", done.returncode == 1 and not done.stdout and
              words.encode() in done.stderr, done)
        check("one line says why", done.stderr.count(b"\n") == 1 and
              done.stderr.startswith(b"kin: standard input: "), done.stderr)
    for data in (b"", b"\n"):
        done = run(["pickle", "--from=json"], data)
        check("nothing is no JSON", done.returncode == 1 and not done.stdout and
              done.stderr.endswith(b": there is nothing\n"), done)
    for data in (b"", b"\x80\x04", b"\x80\x04K", b"\x80\x04R.", b"(", b"t.", b"\xff"):
        done = run(["pickle", "-d"], data)
        check(f"bad pickle {data}, disassembled", done.returncode == 1 and
              b"offset " in done.stderr,
              done)


def check_limits():
    deep = b"]" * 50 + b"a" * 49 + b"."
    for option, data in {"--depth-max=10": deep, "--objects-max=5": deep, "--opcodes-max=9": deep,
                         "--memory-max=1K": pickle.dumps(b"x" * 5000), "--memo-max=100":
                         pickle.dumps([[] for _ in range(1000)]),
                         "--integer-bits-max=64": pickle.dumps(2**100),
                         "--input-max=10": deep}.items():
        done = run(["pickle", option], data)
        check(f"limit {option}", done.returncode == 1 and b"limit" in done.stderr, done)
        check(f"without {option}", run(["pickle"], data).returncode == 0)
    bomb = [] # shown 2 ** 40 times
    for _ in range(40):
        bomb = [bomb, bomb]
    for form in ("--repr", "--json"):
        done = run(["pickle", form, "--output-max=1M"], pickle.dumps(bomb))
        check(f"limit of the output, {form}", done.returncode == 1 and
              len(done.stdout) <= 1 << 20 and b"--output-max" in done.stderr, done.stderr)
    check("limits are raised", run(["pickle", "--depth-max=100000", "--pickle"],
                                   b"]" * 5000 + b"a" * 4999 + b".").returncode == 0)


def check_nothing_is_executed(folder):
    trap = os.path.join(folder, "trap")
    for data in (f"cos\nsystem\n(Vtouch {trap}\ntR.", f"cposix\nsystem\n(S'touch {trap}'\ntR.",
                 f"(S'touch {trap}'\nios\nsystem\n.",
                 f"c__builtin__\neval\n(Vopen('{trap}', 'w')\ntR.",
                 f"cbuiltins\nexec\n(Vopen('{trap}', 'w')\ntR0N."):
        for form in ("--repr", "--json", "--disassemble", "--pickle"):
            done = run(["pickle", form], data.encode())
            check(f"{form} of a trap", done.returncode in (0, 1) and not os.path.exists(trap), done)
    again = output(["--pickle"], f"cos\nsystem\n(Vtouch {trap}\ntR.".encode())
    check("a trap stays one", b"system" in again)


def check_files(folder):
    path = os.path.join(folder, "big.pickle")
    value = [b"x" * (40 << 20), list(range(500000))]
    with open(path, "wb") as file:
        pickle.dump(value, file)
    again = os.path.join(folder, "again.pickle")
    with open(again, "wb") as file:
        done = subprocess.run([KIN, "pickle", "--pickle", path], stdout=file, check=False)
    with open(again, "rb") as file:
        check("a large file", done.returncode == 0 and pickle.load(file) == value)
    with open(path, "rb") as file:
        done = subprocess.run([KIN, "pickle", "--disassemble"], stdin=file, capture_output=True,
                              check=False)
        check("of long arguments the beginning", done.returncode == 0 and
              b" ... of 41943040 bytes\n" in done.stdout)
    done = run(["pickle", os.path.join(folder, "none")])
    check("a file that is not there", done.returncode == 1 and b"No such file" in done.stderr, done)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([KIN, "pickle"], input=pickle.dumps("x"), stdout=full,
                              stderr=subprocess.PIPE, check=False)
    check("a full disk is noticed", done.returncode == 1 and b"cannot be written" in done.stderr)


def check_usage():
    for arguments in ([], ["nothing"], ["pickle", "--nothing"], ["pickle", "-r", "-j"],
                      ["pickle", "a", "b"], ["pickle", "--protocol=1"], ["pickle", "--protocol=6"],
                      ["pickle", "--depth-max=0"], ["pickle", "--depth-max=x"],
                      ["pickle", "--memory-max=5T"], ["pickle", "--from=xml"],
                      ["pickle", "--color=red"]):
        done = run(arguments)
        check(f"usage {arguments}", done.returncode == 2 and done.stderr, done)
    check("version", re.fullmatch(rb"kin \d+\.\d+\.\d+\n", run(["--version"]).stdout))
    check("help", b"pickle" in run(["--help"]).stdout)


def complaint_on_terminal(**environment):
    """What is written to a terminal about bad input."""
    master, slave = pty.openpty()
    subprocess.run([KIN, "pickle"], input=b"x", stderr=slave, stdout=slave, check=False,
                   env={**os.environ, "TERM": "xterm", **environment})
    os.close(slave)
    written = os.read(master, 1000)
    os.close(master)
    return written


def check_colours():
    clean = {name: "" for name in ("NO_COLOR",)}
    check("colours on a terminal", b"\033[" in complaint_on_terminal(**clean))
    check("NO_COLOR", b"\033[" not in complaint_on_terminal(NO_COLOR="1"))
    check("a dumb terminal", b"\033[" not in complaint_on_terminal(**clean, TERM="dumb"))
    check("no colours elsewhere", b"\033[" not in run(["pickle"], b"x").stderr)
    check("colours on request", b"\033[" in run(["pickle", "--color=always"], b"x").stderr)


def check_words():
    """Man page and completions know every option; they are what their programs read."""
    options = set(re.findall(r"--[a-z][a-z-]+", run(["pickle", "--help"]).stdout.decode()))
    for path in ("docs/man/kin-pickle.1", "cli/completions/kin.bash", "cli/completions/_kin",
                 "cli/completions/kin.fish"):
        with open(os.path.join(PROJECT, path), encoding="utf-8") as file:
            text = file.read().replace("\\-", "-")
        for option in options:
            known = option in text or ("fish" in path and "-l " + option[2:] in text)
            check(f"{path} knows {option}", known)
    for path in ("docs/man/kin.1", "docs/man/kin-pickle.1"):
        if shutil.which("mandoc"):
            done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], cwd=PROJECT,
                                  capture_output=True, check=False)
            check(f"mandoc likes {path}", done.returncode == 0, done.stdout)
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", path], cwd=PROJECT,
                                  capture_output=True, check=False)
            check(f"groff likes {path}", done.returncode == 0 and not done.stderr, done.stderr)
    for shell, path in (("bash", "kin.bash"), ("zsh", "_kin"), ("fish", "kin.fish")):
        if shutil.which(shell):
            done = subprocess.run([shell, "-n", os.path.join(PROJECT, "cli/completions", path)],
                                  capture_output=True, check=False)
            check(f"{shell} reads {path}", done.returncode == 0, done.stderr)


with tempfile.TemporaryDirectory() as scratch:
    check_repr()
    check_disassembly()
    check_pickle()
    check_json()
    check_several()
    check_bad()
    check_limits()
    check_nothing_is_executed(scratch)
    check_files(scratch)
    check_usage()
    check_colours()
    check_words()
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
