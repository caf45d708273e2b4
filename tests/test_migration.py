"""Threads move out, back and from one remote node to another, at any moment, with every register intact."""
# SPDX-License-Identifier: GPL-2.0-only

import signal
import time

import pytest
from sharing import HOME, POLICIES, PROGRAMS, poll

FOREVER = "1000000"


@pytest.mark.quick
@pytest.mark.parametrize("policy", ["spread", "away", "bounce:1", "bounce:10"])
def test_registers_survive_policies(sharing, policy):
    outcome = sharing.run([f"{PROGRAMS}/registers", "3", "150"], policy)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("registers of 3 threads are right")
    assert sum(outcome.arrivals.values()) >= (6 if policy.startswith("bounce") else 2)


def start_registers(sharing, threads: int, **options):
    job = sharing.start([f"{PROGRAMS}/registers", str(threads), FOREVER], "home", **options)
    pid = job.wait_started()
    poll("all threads are there", lambda: len(sharing.threads(pid)) == threads or job.poll() is not None)
    return job, pid


def end_registers(job, threads: int):
    job.send_signal(signal.SIGUSR1)
    result = job.wait(60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"registers of {threads} threads are right")


@pytest.mark.quick
def test_registers_survive_being_moved(sharing):
    """Out, to another remote, back, and again, each time while the threads compute without a call."""
    job, pid = start_registers(sharing, 2)
    for node in (1, 2, HOME, 2, 1, HOME, 1, HOME):
        sharing.move(pid, node)
        assert job.poll() is None, job.stderr
    end_registers(job, 2)


def test_one_thread_is_moved(sharing):
    job, pid = start_registers(sharing, 3)
    first, second, third = sorted(sharing.threads(pid))
    for thread, node in ((second, 2), (third, 1), (first, 2)):
        assert sharing.migrate(f"{pid}/{thread}", node).returncode == 0
    wanted = {first: 2, second: 2, third: 1}
    poll("each thread is where it was sent", lambda: sharing.threads(pid) == wanted)
    end_registers(job, 3)


def test_moving_to_where_it_is_changes_nothing(sharing):
    job, pid = start_registers(sharing, 1)
    for node in (HOME, 1, 1, HOME):
        sharing.move(pid, node)
    end_registers(job, 1)


def test_thread_that_sleeps_in_a_call(sharing):
    """The call is neither lost nor cut short by being moved."""
    begin = time.monotonic()
    job = sharing.start("sleep 4; echo slept", "home")
    pid = job.wait_started()
    poll("it is shared", lambda: sharing.where(pid))
    for node in (1, 2, "home", 1):
        done = sharing.migrate(pid, node)
        assert done.returncode == 0, done.stderr
    result = job.wait(60)
    assert (result.returncode, result.stdout) == (0, "slept\n"), result.stderr
    assert time.monotonic() - begin >= 4


def test_moves_are_counted(sharing):
    outcome = sharing.run(
        f"{PROGRAMS}/registers 1 {FOREVER} & "
        "for node in 1 2 0; do procshare migrate $! $node || exit 1; "
        "until procshare ps | awk -v p=$! -v n=$node '$1 == p && ($3 == n) { found = 1 } END { exit !found }'; do :; done; "
        "done; kill -USR1 $!; wait $!",
        "home",
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.arrivals == {1: 1, 2: 1}
    assert outcome.reasons == {"asked": 2}


@pytest.mark.parametrize("policy", POLICIES)
def test_one_run_after_another(sharing, policy):
    """The same program five times: nothing of one run disturbs the next."""
    seen = {sharing.run([f"{PROGRAMS}/threads", "3", "2"], policy).stdout for _ in range(5)}
    assert len(seen) == 1


def test_only_the_owner_moves_a_process(sharing):
    job, pid = start_registers(sharing, 1)
    done = sharing.cluster.run(["procshare", "migrate", str(pid), "1"], user="nobody", cwd="/")
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1
    assert sharing.where(pid) == {HOME}
    end_registers(job, 1)
