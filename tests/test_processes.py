"""fork, exec, vfork, spawn, system and wait from threads that run elsewhere; calls are answered by home."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES, PROGRAMS

PARTS = ("fork", "snapshot", "generations", "run", "exec-chain", "shared", "concurrent", "exec")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", PARTS)
def test_processes(sharing, part, policy):
    # Under spread, a process whose only thread is its first one stays.
    sharing.part("processes", part, policy, leaves=policy != "spread")


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
