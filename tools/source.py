"""Reads C source for the checks: which files there are, and code without comments and strings."""

import os
import re
import sys

SKIPPED_FOLDERS = {"build", ".git", "__pycache__"}
BAD_SAMPLES = os.path.join("tests", "tools", "bad")  # what the checks are tested with


def files(root, suffixes, under=("",)):
    """Paths relative to root of all files with one of the suffixes, in the folders named."""
    found = []
    for top in under:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            place = os.path.relpath(folder, root)
            folders[:] = sorted(
                name
                for name in folders
                if name not in SKIPPED_FOLDERS
                and os.path.normpath(os.path.join(place, name)) != BAD_SAMPLES
            )
            for name in sorted(names):
                if name.endswith(tuple(suffixes)):
                    found.append(os.path.normpath(os.path.join(place, name)))
    return found


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as stream:
        return stream.read()


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'", re.S)


def without_comments(text):
    """The text with comments blanked; every character keeps its place."""
    return TOKENS.sub(lambda m: _blank(m) if m.group()[0] == "/" else m.group(), text)


def code(text):
    """The text with comments, strings and character constants blanked."""
    return TOKENS.sub(_blank, text)


def line_of(text, place):
    return text.count("\n", 0, place) + 1


def without_preprocessor(text):
    """The text with preprocessor lines blanked."""
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", _blank, text, flags=re.M)


def _opening(text, place):
    """The place of the parenthesis that the one at place closes, or -1."""
    depth = 0
    while place >= 0:
        depth += text[place] == ")"
        depth -= text[place] == "("
        if depth == 0:
            return place
        place -= 1
    return -1


def _parameter_count(parameters):
    depth, count = 0, 0 if parameters.strip() in ("", "void") else 1
    for character in parameters:
        depth += character == "("
        depth -= character == ")"
        count += character == "," and depth == 0
    return count


def functions(text):
    """(name, line, line count, parameter count, head) of each function defined in the text: what
    has its braces in the first column, the opening one below a parameter list."""
    plain = without_preprocessor(code(text))
    for match in re.finditer(r"\)\s*\n(\{)", plain):
        opening = _opening(plain, match.start())
        name = re.search(r"(\w+)\s*$", plain[:opening])
        end = plain.find("\n}", match.start(1))
        if not name or end < 0:
            continue
        head = re.split(r"[;}]", plain[:name.start()])[-1]
        first = line_of(plain, match.start(1))
        yield (name.group(1), first, line_of(plain, end + 1) - first + 1,
               _parameter_count(plain[opening + 1:match.start()]), head)


def exceptions(root, path):
    """The list of exceptions of a check: lines of "FILE WORD reason". {(file, word): line}."""
    allowed = {}
    if not os.path.exists(os.path.join(root, path)):
        return allowed
    for number, line in enumerate(read(root, path).splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            parts = line.split(None, 2)
            if len(parts) < 3:
                print(f"{path}:{number}: an exception needs a file, a word and a reason")
                sys.exit(1)
            allowed[parts[0], parts[1]] = number
    return allowed


class Report:
    """Collects findings; with exceptions, those that nothing needs are findings too."""

    def __init__(self, root=None, exceptions_path=None):
        self.findings = []
        self.path = exceptions_path
        self.allowed = exceptions(root, exceptions_path) if exceptions_path else {}
        self.used = set()

    def add(self, path, line, text, word=None):
        if (path, word) in self.allowed:
            self.used.add((path, word))
        else:
            self.findings.append(f"{path}:{line}: {text}")

    def finish(self):
        for (path, word), number in self.allowed.items():
            if (path, word) not in self.used:
                self.findings.append(
                    f"{self.path}:{number}: nothing needs this exception: {path} {word}")
        for finding in self.findings:
            print(finding)
        sys.exit(1 if self.findings else 0)
