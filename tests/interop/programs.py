"""What subprocess makes of a program: programs.py WAY ARGUMENT [INPUT]

Prints one line: how it ended, and what it wrote to its standard output and error, in hexadecimal.
"""

import os
import subprocess
import sys

SECONDS = 1.0 # of a program that is not done in time


def tell(code, output=b"", errors=b""):
    print("%s %s %s" % (code, (output or b"").hex() or "-", (errors or b"").hex() or "-"))


def run(script, **options):
    done = subprocess.run(["/bin/sh", "-c", script], **options)
    tell(done.returncode, done.stdout, done.stderr)


def refuse(**options):
    """errno, negative as kin's codes are"""
    try:
        subprocess.run(check=True, **options)
    except OSError as error:
        tell(-error.errno)


def main(way, argument, given=""):
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if way == "capture":
        run(argument, input=given.encode(), **both)
    elif way == "merge":
        run(argument, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    elif way == "null":
        run(argument, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    elif way == "folder":
        run("pwd; umask", cwd=argument, preexec_fn=lambda: os.umask(0o27), **both)
    elif way == "environment":
        run(argument, env={"A": "1", "PATH": "/usr/bin:/bin"}, **both)
    elif way == "session":
        run(argument, start_new_session=True, **both)
    elif way == "check":
        try:
            subprocess.run(["/bin/sh", "-c", argument], check=True, **both)
        except subprocess.CalledProcessError as error:
            tell(error.returncode, error.stdout, error.stderr)
    elif way == "late":
        try:
            subprocess.run(["/bin/sh", "-c", argument], timeout=SECONDS, **both)
        except subprocess.TimeoutExpired as error:
            tell("late", error.stdout, error.stderr)
    elif way == "missing":
        refuse(args=[argument])
    elif way == "no folder":
        refuse(args=["true"], cwd=argument)
    elif way == "getstatusoutput":
        code, output = subprocess.getstatusoutput(argument)
        tell(code, output.encode())
    elif way == "pipeline":
        first = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
        second = subprocess.Popen(["/bin/sh", "-c", argument], stdin=first.stdout,
                                  stdout=subprocess.PIPE)
        first.stdout.close()
        output = second.communicate()[0]
        tell(first.wait(), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
