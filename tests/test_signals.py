"""Signals reach threads wherever they run; keys, stops and crashes work as on one machine."""
# SPDX-License-Identifier: GPL-2.0-only

import signal

import pytest
from sharing import HOME, POLICIES, PROGRAMS, poll

PARTS = ("siginfo", "process", "restart", "nanosleep", "wait", "alarm", "rapid", "nested", "storm", "cpu-timer")
EXCEPTIONS = ("faults", "step", "altstack", "context")
ALONE = ("alarm", "rapid")  # one thread only: under spread it stays
SPIN, BYE = ([f"{PROGRAMS}/signals", part] for part in ("spin", "bye"))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", PARTS)
def test_signals(sharing, part, policy):
    sharing.part("signals", part, policy, leaves=policy != "spread" or part not in ALONE)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", EXCEPTIONS)
def test_exceptions(sharing, part, policy):
    sharing.part("exceptions", part, policy)


def test_a_fault_that_is_mended_does_not_keep_a_thread_at_home(sharing):
    outcome = sharing.part("exceptions", "mended", "away")
    reasons = outcome.reasons
    assert outcome.remote_share >= 0.9 and reasons["fault"] >= 50 and reasons["memory"] >= 50, outcome.verdict()


def test_one_way_home_for_a_signal(sharing):
    """A handler runs where the signal was delivered: no second way home to return from it."""
    reasons = sharing.part("signals", "storm", "away").reasons
    assert reasons["call"] < reasons["signal"] / 4


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGQUIT])
def test_death_by_signal(sharing, policy, number):
    job, pid = sharing.start_ready(SPIN, policy)
    job.send_signal(number)
    assert job.wait(30).returncode == -number
    assert sharing.threads(pid) == {}
    poll("no shadows are left", lambda: not sharing.shadows(1) and not sharing.shadows(2), 10)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_handler_decides_the_status(sharing, policy, number):
    job, _ = sharing.start_ready(BYE, policy)
    job.send_signal(number)
    assert job.wait(30).returncode == 7


@pytest.mark.quick
def test_ctrl_c_at_a_terminal(sharing):
    job, _ = sharing.start_ready(SPIN, "away", tty=True)
    job.type(b"\x03")
    assert job.wait(30).returncode == -signal.SIGINT


def test_ctrl_z_and_fg_at_a_terminal(sharing):
    """A shell with job control: the program stops, the shell says so, and fg continues it."""
    job = sharing.cluster.start("exec bash --norc -i", HOME, cwd="/tmp", tty=True)
    job.type(f"procshare run --policy away {' '.join(BYE)}\n".encode())
    poll("the program is ready", lambda: "ready" in job.stdout)
    job.type(b"\x1a")
    poll("the shell sees it stopped", lambda: "Stopped" in job.stdout)
    job.type(b"fg\n")
    # Not before: the terminal is the shell's until then.
    poll("the shell continues it", lambda: not sharing.native("ps -C signals -o stat=", check=True).stdout.startswith("T"))
    job.type(b"\x03")
    job.type(b"echo status $?; exit\n")
    poll("the shell tells the status", lambda: "status 7" in job.stdout)
    job.wait(30)


def state(sharing, pid: int) -> str:
    return sharing.cluster.run(f"sed -n 's/^State:.\\(.\\).*/\\1/p' /proc/{pid}/status", HOME, cwd="/").stdout.strip()


def burnt(sharing) -> float:
    """All remote user CPU time so far."""
    files = [sharing.cluster.run("cat /sys/fs/cgroup/procshare/cpu.stat", node, cwd="/").stdout for node in (1, 2)]
    return sum(int(line.split()[1]) for text in files for line in text.splitlines() if line.startswith("user_usec"))


@pytest.mark.quick
@pytest.mark.parametrize("policy", POLICIES)
def test_stop_and_continue(sharing, policy):
    job, pid = sharing.start_ready(SPIN, policy)
    job.send_signal(signal.SIGSTOP)
    poll("the process is stopped", lambda: state(sharing, pid) == "T")
    poll("its threads are home", lambda: sharing.where(pid) == {HOME})
    before = burnt(sharing)
    sharing.native("sleep 1")
    assert burnt(sharing) == before, "a stopped process burns CPU time"
    job.send_signal(signal.SIGCONT)
    poll("threads have left again", lambda: sharing.where(pid) - {HOME})
    poll("it computes again", lambda: burnt(sharing) > before)
    job.send_signal(signal.SIGTERM)
    assert job.wait(30).returncode == -signal.SIGTERM


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ["crash", "abort"])
def test_exit_status_of_a_crash(sharing, policy, part):
    command = f"ulimit -c 0; exec {PROGRAMS}/signals {part}"
    native = sharing.native(command)
    job = sharing.start(command, policy)
    assert job.wait(60).returncode == native.returncode < 0


def test_cpu_limit_of_threads_that_only_compute(sharing):
    """They make no call in which home could notice."""
    job = sharing.start(f"ulimit -S -t 2; exec {PROGRAMS}/signals spin", "away")
    assert job.wait(60).returncode == -signal.SIGXCPU


GDB = (
    "gdb -batch -nx -ex 'printf \"mark %lx\\n\", crash_mark' -ex 'print $_siginfo.si_signo'"
    " -ex 'print $_siginfo._sifields._sigfault.si_addr' -ex 'info threads' -ex 'bt 1' {program} {core}"
)


@pytest.mark.parametrize("policy", POLICIES)
def test_core_dump_at_home(sharing, policy):
    """It holds what threads wrote elsewhere, all threads, and the place of the crash."""
    core = "/tmp/core-of-test"
    sharing.native(f"rm -f {core}; echo {core} >/proc/sys/kernel/core_pattern; echo 0 >/proc/sys/kernel/core_uses_pid")
    job = sharing.start(f"ulimit -c unlimited; exec {PROGRAMS}/signals crash", policy)
    assert job.wait(60).returncode == -signal.SIGSEGV
    seen = sharing.native(GDB.format(program=f"{PROGRAMS}/signals", core=core), timeout=120, check=True).stdout
    sharing.native(f"rm {core}", check=True)
    assert "mark 70726f6373686173" in seen
    assert "$1 = 11" in seen
    assert "0xdead" in seen
    assert "crash (argument=" in seen
    assert seen.count("Thread 0x") >= 3, seen
