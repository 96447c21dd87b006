"""Compares what kin and CPython do: compare.py METHOD CPYTHON_OUTPUT KIN_OUTPUT DIFFERENCES

Each scenario passes if both print the same, or what DIFFERENCES says.
"""

import difflib
import re
import sys


def read_scenarios(path):
    """{name: [lines]}, in order."""
    scenarios = {}
    lines = []
    with open(path, encoding="utf-8") as stream:
        for line in stream.read().splitlines():
            if line.startswith("== "):
                lines = scenarios.setdefault(line[3:], [])
            else:
                lines.append(line)
    return scenarios


def read_differences(path, method):
    """{name: ([lines of CPython's], [of kin's])}"""
    differences = {}
    entry = None
    with open(path, encoding="utf-8") as stream:
        for line in stream.read().splitlines():
            heading = re.fullmatch(r"(all|[a-z,]+) (\w+): .+", line)
            if line.startswith("< ") and entry:
                entry[0].append(line[2:])
            elif line.startswith("> ") and entry:
                entry[1].append(line[2:])
            elif heading:
                entry = ([], [])
                if heading[1] == "all" or method in heading[1].split(","):
                    differences[heading[2]] = entry
    return differences


def changes(theirs, ours):
    """What differs: (lines that only CPython prints, lines that only kin prints)"""
    compared = list(difflib.ndiff(theirs, ours))
    return ([line[2:] for line in compared if line.startswith("- ")],
            [line[2:] for line in compared if line.startswith("+ ")])


def main():
    method, theirs_path, ours_path, differences_path = sys.argv[1:]
    theirs = read_scenarios(theirs_path)
    ours = read_scenarios(ours_path)
    allowed = read_differences(differences_path, method)
    passed = failed = 0
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        if name not in ours or name not in theirs:
            problem = f"only {'CPython' if name in theirs else 'kin'} has come to it"
        elif changes(theirs[name], ours[name]) == allowed.get(name, ([], [])):
            passed += 1
            continue
        else:
            problem = "CPython:\n" + "\n".join(theirs[name]) + "\nkin:\n" + "\n".join(ours[name])
        failed += 1
        print(f"FAIL {method}: {name}: {problem}")
    print(f"{passed} passed, {failed} failed")


main()
