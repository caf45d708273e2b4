"""fork, exec, vfork, spawn, system and wait from threads that run elsewhere; calls are answered by home."""
# SPDX-License-Identifier: GPL-2.0-only

import json

import pytest
from sharing import HOME, POLICIES, PROGRAMS, poll

PARTS = ("fork", "snapshot", "generations", "run", "exec-chain", "shared", "concurrent", "exec")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", PARTS)
def test_processes(sharing, part, policy):
    # Under spread, a process whose only thread is its first one stays.
    sharing.part("processes", part, policy, leaves=policy != "spread")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("family", "threads"))
def test_real_time_threads_spin(sharing, part, policy):
    """The least important one of those that share a page: under spread that is the one that stays."""
    sharing.part("realtime", part, policy, leaves=policy == "away")


@pytest.mark.parametrize("policy", POLICIES)
def test_calls_are_answered_by_home(sharing, policy):
    native = sharing.native([f"{PROGRAMS}/processes", "ask"], check=True)
    outcome = sharing.part("processes", "ask", policy)
    assert outcome.stdout == native.stdout
    assert "node0" in outcome.stdout


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("state", "resident", "mincore"))
def test_proc_shows_what_is_elsewhere(sharing, part, policy):
    sharing.part("procfs", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("status", [0, 1, 77, 255])
def test_exit_status_is_the_programs(sharing, policy, status):
    assert sharing.run(f"exit {status}", policy).returncode == status


def test_children_inherit_the_policy(sharing):
    job = sharing.start("sleep 100 & sleep 100", "away")
    pid = job.wait_started()
    try:
        sharing.poll_processes(lambda all: sorted(p["name"] for p in all if p["policy"] == "away").count("sleep") == 2)
    finally:
        job.send_signal(9, whole_group=True)
        job.wait(30)
    assert pid not in [process["pid"] for process in sharing.processes()]


def test_what_a_privileged_program_starts_stays(sharing):
    """Privileges that exec gives do not go to where somebody else says, although no exec tells of them later."""
    sharing.cluster.run("cp /usr/bin/env /tmp/env && chmod 4755 /tmp/env", HOME, check=True)
    user = "setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/env"
    root = "setpriv --reuid=0 --regid=0 --clear-groups"
    program = f"{PROGRAMS}/threads 2 500"
    try:
        outcome = sharing.run(f"{user} {root} sh -c 'id -u; {program}'", "away")
        assert outcome.returncode == 0 and outcome.stdout.startswith("0\n"), outcome.stderr
        assert outcome.remote_share < 0.5, outcome.verdict()
        assert sharing.run(f"{user} {program}", "away").remote_share < 0.5
        assert sharing.run(f"{root} {program}", "away").remote_share > 0.5
    finally:
        sharing.cluster.run("rm /tmp/env", HOME)


def test_statistics_outlast_those_of_shorter_programs(sharing):
    """More sessions begin and end meanwhile than are kept."""
    sharing.native("rm -f /tmp/long.fifo; mkfifo /tmp/long.fifo", check=True)
    program = "read line </tmp/long.fifo; echo $line"
    run = ["procshare", "run", "--policy", "away", "--stats=/tmp/long.stats", "-j", "--", "sh", "-c", program]
    job = sharing.cluster.start(run, HOME, cwd="/tmp")
    poll("it has begun", sharing.processes)
    sharing.native("for i in $(seq 40); do procshare run true; done; echo done >/tmp/long.fifo", check=True)
    assert job.wait(60, check=True).stdout == "done\n"
    assert "no statistics" not in job.stderr and json.loads(sharing.native("cat /tmp/long.stats").stdout)["nodes"]
