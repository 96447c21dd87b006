"""Compares what a program printed with what it should print.

A line is literal, but
    ~ REGEX    stands for one line that matches the whole regular expression
    ...        stands for any number of lines, also none
"""

import re


def pattern(lines):
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        elif line.startswith("~ "):
            parts.append("(?:" + line[2:] + r")\n")
        else:
            parts.append(re.escape(line.rstrip()) + r"[ \t]*\n")
    return "".join(parts)


def differs(expected_lines, printed):
    """None, or a text that says how they differ: the first expected line that cannot be met."""
    if printed and not printed.endswith("\n"):
        printed += "\n"
    if re.fullmatch(pattern(expected_lines), printed):
        return None
    met = 0
    while met < len(expected_lines) and re.match(pattern(expected_lines[:met + 1]), printed):
        met += 1
    wanted = expected_lines[met] if met < len(expected_lines) else "the end"
    return f"no line for: {wanted}\n--- printed:\n{printed}---"
