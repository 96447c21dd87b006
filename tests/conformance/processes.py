"""What processes do in CPython's multiprocessing: processes.py METHOD

Each scenario prints its name, then what happened. The program `conformance` does the same with kin
(processes.c and the files beside it); conformance_test.sh compares what the two have printed.
"""

import fcntl
import logging
import multiprocessing
import os
import select
import signal
import sys
import tempfile
import time

PATIENCE_SECONDS = 10
FD = 700  # one that no program has by itself
marker = 1
changed = []


# --- what scenarios are made of ---

def out(text):
    os.write(1, (text + "\n").encode())


def attempt(what, call):
    try:
        call()
    except Exception:  # pylint: disable=broad-except
        out(f"{what}: refused")
    else:
        out(f"{what}: done")


def create(target, *arguments, **options):
    return multiprocessing.Process(target=target, args=arguments, **options)


def start(target, *arguments, **options):
    process = create(target, *arguments, **options)
    process.start()
    return process


def end_of(process):
    """Its exit code."""
    process.join()
    return process.exitcode


def start_and_await_word(target, *arguments, **options):
    """Starts one that writes a word to its first argument; its process and what it has written."""
    reader, writer = multiprocessing.Pipe(False)
    process = start(target, writer, *arguments, **options)
    writer.close()
    return process, os.read(reader.fileno(), 100).decode(), reader


def say(writer, word="x"):
    os.write(writer.fileno(), word.encode())


def is_at_end(reader, seconds):
    """Whether all who could write there are gone."""
    ready, _, _ = select.select([reader.fileno()], [], [], seconds)
    return bool(ready) and os.read(reader.fileno(), 1) == b""


def said_on_stderr():
    sys.stderr.flush()
    return errors.read()


# --- what children do ---

def return_nothing():
    pass


def end_with(code):
    sys.exit(code)


def wait_for_ever(writer):
    say(writer)
    while True:
        signal.pause()


def ignore_sigterm(writer):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait_for_ever(writer)


def handle_sigterm(writer):
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(9))
    wait_for_ever(writer)


def fail():
    raise RuntimeError("boom")


# --- P1: start and join ---

def tell_pids(writer):
    say(writer, f"{os.getpid()} {multiprocessing.parent_process().pid}")


def pids():
    process, word, _ = start_and_await_word(tell_pids)
    pid, parent = word.split()
    out(f"the child is the one that was started: {int(pid) == process.pid}")
    out(f"its parent is this process: {int(parent) == os.getpid()}")
    out(f"exit code {end_of(process)}")


def reaped():
    process = start(return_nothing)
    process.join()
    for _ in range(PATIENCE_SECONDS * 1000):  # of one that a server has waited for, a moment later
        if not os.path.exists(f"/proc/{process.pid}"):
            break
        time.sleep(0.001)
    attempt("signal to what is left", lambda: os.kill(process.pid, 0))


def join_with_timeout():
    process, _, _ = start_and_await_word(wait_for_ever)
    process.join(0)
    out(f"after no time: {process.exitcode}")
    process.join(0.01)
    out(f"after a while: {process.exitcode}")
    process.kill()
    out(f"at the end: {end_of(process)}")


def join_twice():
    process = start(end_with, 3)
    process.join()
    process.join()
    process.join(0)
    out(f"exit code {process.exitcode}, {process.exitcode}")


def show(*arguments):
    out(repr(arguments))


def arguments_of_all_kinds():
    start(show, 1, -2, "three", 4.5, None, True, b"six", [7, [8]], {"nine": (10,)}).join()
    start(show).join()
    start(show, "alone").join()


def many_at_once():
    processes = [start(end_with, i) for i in range(10)]
    out("codes " + " ".join(str(end_of(process)) for process in processes))


def ended_and_not_joined():
    process = start(end_with, 4)
    while process.is_alive():
        time.sleep(0.001)
    out(f"{len(multiprocessing.active_children())} children")
    out(f"exit code {process.exitcode}")


def say_out_loud():
    out("child")


def output_once():
    sys.stdout.write("buffered ")
    start(say_out_loud).join()
    sys.stdout.flush()
    out("parent")


def read_input():
    out(f"input is empty: {sys.stdin.read() == ''}")


def input_is_empty():
    start(read_input).join()


# --- P2: names ---

def tell_name():
    out(f"I am {multiprocessing.current_process().name}")


def start_two():
    tell_name()
    start(tell_name).join()
    start(tell_name, name="own").join()
    start(tell_name).join()


def names():
    one = create(return_nothing)
    two = create(return_nothing)
    number = int(one.name.split("-")[1])
    out(f"consecutive: {two.name == f'Process-{number + 1}'}")
    three = create(return_nothing, name="own")
    four = create(return_nothing)
    out(f"a name: {three.name}, counted: {four.name == f'Process-{number + 3}'}")


def grandchildren():
    start(start_two, name="renamed").join()
    start(start_two).join()


def current():
    process = multiprocessing.current_process()
    out(f"{process.name}, pid is mine: {process.pid == os.getpid()}, daemon {process.daemon}")
    start(tell_name).join()


# --- P2, P3: what is known of one ---

def life():
    process = create(end_with, 2)
    out(f"new: pid {process.pid}, alive {process.is_alive()}, code {process.exitcode}")
    process.start()
    out(f"started: has pid {process.pid > 0}")
    process.join()
    out(f"ended: has pid {process.pid > 0}, alive {process.is_alive()}, code {process.exitcode}")


def running():
    process, _, _ = start_and_await_word(wait_for_ever)
    out(f"alive {process.is_alive()}, code {process.exitcode}")
    ready, _, _ = select.select([process.sentinel], [], [], 0)
    out(f"sentinel is ready: {bool(ready)}")
    process.kill()
    ready, _, _ = select.select([process.sentinel], [], [])
    out(f"sentinel is ready: {bool(ready)}")
    out(f"code {end_of(process)}, alive {process.is_alive()}")


def exit_now():
    os._exit(6)


def exit_codes():
    out(f"returned: {end_of(start(return_nothing))}")
    out(f"7: {end_of(start(end_with, 7))}")
    out(f"255: {end_of(start(end_with, 255))}")
    out(f"260: {end_of(start(end_with, 260))}")
    out(f"_exit: {end_of(start(exit_now))}")


def abort_it():
    os.abort()


def aborted():
    out(f"code {end_of(start(abort_it))}")


def signalled():
    for what in ("terminate", "kill"):
        process, _, _ = start_and_await_word(wait_for_ever)
        getattr(process, what)()
        out(f"{what}: {end_of(process)}")


def interrupted():
    process, _, _ = start_and_await_word(wait_for_ever)
    os.kill(process.pid, signal.SIGINT)
    out(f"code {end_of(process)}")


def handled():
    process, _, _ = start_and_await_word(handle_sigterm)
    process.terminate()
    out(f"code {end_of(process)}")


def ignored():
    process, _, _ = start_and_await_word(ignore_sigterm)
    process.terminate()
    process.join(0.02)
    out(f"after terminate: {process.exitcode}")
    process.kill()
    out(f"after kill: {end_of(process)}")


def failed():
    said_on_stderr()
    process = start(fail)
    out(f"code {end_of(process)}")
    text = said_on_stderr()
    out(f"the name is told: {process.name in text}")
    out(f"the reason is told: {'boom' in text}")
    out(f"the function is told: {' fail' in text}")


# --- P4: what is refused ---

def start_twice():
    process = create(return_nothing)
    attempt("start", process.start)
    attempt("start again", process.start)
    process.join()
    attempt("start after the end", process.start)


def before_the_start():
    process = create(return_nothing)
    attempt("join", process.join)
    attempt("terminate", process.terminate)
    attempt("kill", process.kill)
    attempt("sentinel", lambda: process.sentinel)
    attempt("close", process.close)
    attempt("start", process.start)


def close_while_it_runs():
    process, _, _ = start_and_await_word(wait_for_ever)
    attempt("close", process.close)
    process.kill()
    process.join()
    attempt("close", process.close)
    attempt("close again", process.close)


def use_after_close():
    process = start(return_nothing, name="closed")
    process.join()
    process.close()
    attempt("join", process.join)
    attempt("exit code", lambda: process.exitcode)
    attempt("pid", lambda: process.pid)
    attempt("sentinel", lambda: process.sentinel)
    attempt("terminate", process.terminate)
    attempt("kill", process.kill)
    attempt("start", process.start)
    out(f"name {process.name}")


def join_oneself():
    attempt("join", multiprocessing.current_process().join)
    attempt("start", multiprocessing.current_process().start)


def signals_after_the_end():
    process = start(return_nothing)
    process.join()
    attempt("terminate", process.terminate)
    attempt("kill", process.kill)
    out(f"code {process.exitcode}")


def use_inherited(processes):
    attempt("join", processes[0].join)
    attempt("start", processes[1].start)


def inherited():
    if multiprocessing.get_start_method() != "fork":
        out("there is nothing to inherit")
        return
    processes = [start_and_await_word(wait_for_ever)[0], create(return_nothing)]
    start(use_inherited, processes).join()
    processes[0].kill()
    processes[0].join()


# --- P9: relatives ---

def look_at_parent(pid):
    parent = multiprocessing.parent_process()
    out(f"{parent.name}, pid {parent.pid == pid}, alive {parent.is_alive()}")
    parent.join(0.01)
    out(f"alive {parent.is_alive()}")
    attempt("terminate", parent.terminate)


def parent():
    out(f"of the first: {multiprocessing.parent_process()}")
    start(look_at_parent, os.getpid()).join()


def outlive_parent(writer):
    say(writer)
    multiprocessing.parent_process().join()
    out(f"the parent is alive: {multiprocessing.parent_process().is_alive()}")


def be_killed(writer):
    start(outlive_parent, writer)
    while True:
        signal.pause()


def parent_that_is_killed():
    process, _, reader = start_and_await_word(be_killed)
    process.kill()
    has_ended = is_at_end(reader, PATIENCE_SECONDS)
    out(f"code {end_of(process)}, all have ended: {has_ended}")


def count_children():
    out(f"a child has {len(multiprocessing.active_children())}")


def children():
    one, _, _ = start_and_await_word(wait_for_ever, name="one")
    two, _, _ = start_and_await_word(wait_for_ever, name="two")
    out(" ".join(sorted(child.name for child in multiprocessing.active_children())))
    start(count_children).join()
    one.kill()
    one.join()
    out(" ".join(sorted(child.name for child in multiprocessing.active_children())))
    two.kill()
    two.join()
    out(f"{len(multiprocessing.active_children())} at the end")


def cpu_count():
    out(f"at least one: {multiprocessing.cpu_count() >= 1}")


# --- P5: the end of the parent ---

def daemon_flag():
    out(f"{create(return_nothing).daemon} {create(return_nothing, daemon=True).daemon}")


def leave_daemon(writer):
    reader, own = multiprocessing.Pipe(False)
    start(be_daemon, writer, own, daemon=True)
    own.close()
    os.read(reader.fileno(), 1)


def be_daemon(writer, own):
    say(writer)
    say(own)
    while True:
        signal.pause()


def daemons_at_exit():
    process, _, reader = start_and_await_word(leave_daemon)
    out(f"code {end_of(process)}")
    out(f"all have ended: {is_at_end(reader, PATIENCE_SECONDS)}")


def be_late(writer):
    say(writer)
    time.sleep(0.05)
    out("the grandchild")


def leave_child(writer):
    start(be_late, writer)


def others_at_exit():
    process, _, _ = start_and_await_word(leave_child)
    out(f"the child, code {end_of(process)}")


def start_daemon_and_wait(writer):
    start(tell_pid_and_wait, writer, daemon=True)
    while True:
        signal.pause()


def tell_pid_and_wait(writer):
    say(writer, str(os.getpid()))
    while True:
        signal.pause()


def daemon_of_one_that_is_killed():
    process, word, reader = start_and_await_word(start_daemon_and_wait)
    process.kill()
    process.join()
    has_ended = is_at_end(reader, 1)
    out(f"the daemon has ended: {has_ended}")
    if not has_ended:
        os.kill(int(word), signal.SIGKILL)


def start_from_daemon(writer):
    attempt("start", lambda: start(return_nothing).join())
    say(writer)


def children_of_daemons():
    process, _, _ = start_and_await_word(start_from_daemon, daemon=True)
    process.join()


# --- P7: start methods ---

def methods():
    out(f"the default is what was asked for: {multiprocessing.get_start_method() == method}")
    attempt("set again", lambda: multiprocessing.set_start_method(method))
    attempt("force", lambda: multiprocessing.set_start_method(method, force=True))
    attempt("unknown", lambda: multiprocessing.get_context("other"))
    out(multiprocessing.get_context("fork").get_start_method())
    out(multiprocessing.get_context("spawn").get_start_method())
    out(multiprocessing.get_context("forkserver").get_start_method())


def by_context():
    for name in ("fork", "spawn", "forkserver"):
        process = multiprocessing.get_context(name).Process(target=end_with, args=(5,))
        process.start()
        out(f"{name}: {end_of(process)}")


def look_at_fd():
    try:
        os.fstat(FD)
    except OSError:
        out("fd is open: False")
    else:
        out("fd is open: True")


def open_fds():
    fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, FD)
    start(look_at_fd).join()
    os.close(FD)


# --- P8: memory ---

def change_list():
    changed.append(1)
    out(f"in the child: {len(changed)}")


def memory_is_not_shared():
    start(change_list).join()
    out(f"in the parent: {len(changed)}")


def look_at_marker():
    out(f"a global is {marker}")


def memory_is_copied():
    global marker
    marker = 2
    start(look_at_marker).join()
    marker = 1


# --- P6: objects that run ---

class Counter(multiprocessing.Process):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def run(self):
        self.value += 1
        sys.exit(self.value)


def object_that_runs():
    counter = Counter(6)
    counter.start()
    out(f"code {end_of(counter)}")
    out(f"here it is {counter.value}")


# --- what children are given ---

def send(writer):
    writer.send({"a": [1, 2.5, None]})


def pipe():
    reader, writer = multiprocessing.Pipe(False)
    process = start(send, writer)
    writer.close()
    out(repr(reader.recv()))
    attempt("receive more", reader.recv)
    out(f"code {end_of(process)}")


def put(queue):
    queue.put("first")
    queue.put((2,))


def queue():
    things = multiprocessing.SimpleQueue()
    process = start(put, things)
    out(f"{things.get()!r} {things.get()!r}")
    out(f"code {end_of(process)}")


def set_event(event):
    event.set()


def event():
    flag = multiprocessing.Event()
    out(f"set: {flag.is_set()}")
    process = start(set_event, flag)
    flag.wait()
    out(f"set: {flag.is_set()}")
    process.join()


# --- P11: the log ---

def log_message(text):
    multiprocessing.get_logger().warning(text)


def log_of_a_life():
    said_on_stderr()
    multiprocessing.log_to_stderr(logging.INFO)
    process = start(return_nothing, name="logged")
    process.join()
    for line in said_on_stderr().splitlines():
        out(line)


def log_of_the_program():
    multiprocessing.get_logger().info("of the parent")
    multiprocessing.get_logger().debug("too much")
    for line in said_on_stderr().splitlines():
        out(line)


def log_levels():
    multiprocessing.get_logger().setLevel(logging.WARNING)
    start(log_message, "of the child", name="logged").join()
    for line in said_on_stderr().splitlines():
        out(line)


SCENARIOS = (
    pids, reaped, join_with_timeout, join_twice, arguments_of_all_kinds, many_at_once,
    ended_and_not_joined, output_once, input_is_empty, names, grandchildren, current, life, running,
    exit_codes, aborted, signalled, interrupted, handled, ignored, failed, start_twice,
    before_the_start, close_while_it_runs, use_after_close, join_oneself, signals_after_the_end,
    inherited, parent, parent_that_is_killed, children, cpu_count, daemon_flag, daemons_at_exit,
    others_at_exit, daemon_of_one_that_is_killed, children_of_daemons, methods, by_context,
    open_fds, memory_is_not_shared, memory_is_copied, object_that_runs, pipe, queue, event,
    log_of_a_life, log_of_the_program, log_levels,
)


def main():
    for scenario in SCENARIOS:
        out(f"== {scenario.__name__}")
        scenario()


if __name__ == "__main__":
    method = sys.argv[1]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    errors = tempfile.NamedTemporaryFile("r", encoding="utf-8")
    os.dup2(os.open(errors.name, os.O_WRONLY | os.O_APPEND), 2)
    multiprocessing.set_start_method(method)
    main()
