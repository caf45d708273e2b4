"""Many processes at once, many threads in one, and nothing left behind, memory included."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import HOME, PROGRAMS, SLOWNESS, poll

CROWD = 128
MANY = 200


@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", ["spread", pytest.param("away", marks=pytest.mark.long)])
def test_128_processes_at_once(sharing, policy):
    sharing.native("touch /tmp/crowd", check=True)
    job = sharing.start([f"{PROGRAMS}/processes", "crowd"], policy)
    try:
        poll("all are there", lambda: "all here" in job.stdout or job.poll() is not None, 300, 1)
        processes = sharing.processes()
        assert len(processes) == CROWD + 1
        away = sum(any(thread["node"] != HOME for thread in process["threads"]) for process in processes)
        assert away >= CROWD * 2 // 3, f"only {away} have a thread elsewhere"
        assert len(sharing.shadows(1)) + len(sharing.shadows(2)) >= away
    finally:
        sharing.native("rm /tmp/crowd")
    result = job.wait(120)
    assert (result.returncode, result.stdout) == (0, "all here\ncrowd: right\n"), result.stderr


@pytest.mark.timeout(400)
@pytest.mark.parametrize("policy", ["spread", "away", pytest.param("bounce:10", marks=pytest.mark.long)])
def test_200_threads(sharing, policy):
    outcome = sharing.part("tree", "many", policy, timeout=300)
    assert sum(outcome.arrivals.values()) >= MANY // 2


@pytest.mark.timeout(400)
def test_200_threads_that_work(sharing):
    command = [f"{PROGRAMS}/threads", str(MANY), "1"]
    native = sharing.native(command, check=True)
    outcome = sharing.run(command, "spread", timeout=300)
    assert (outcome.returncode, outcome.stdout) == (0, native.stdout), outcome.stderr


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", ["threads", "processes"])
def test_churn_leaves_nothing(sharing, part):
    """Ten thousand threads, or processes that fork and exec, one after the other; 500 on a slow kernel."""
    count = 10000 if SLOWNESS == 1 else 500
    sharing.run([f"{PROGRAMS}/churn", part, "100"], "away")
    before = sharing.cluster.leaks()
    sharing.part("churn", part, "away", str(count), timeout=7000)
    assert before.leaked_since(settle=30) == []


@pytest.mark.timeout(400)
def test_memory_comes_back(sharing):
    """Runs that each move hundreds of pages: free memory, which goes up and down by some MiB, does not shrink with them."""
    command = [f"{PROGRAMS}/memory", "sharing"]
    for _ in range(2):
        sharing.run(command, "away")
    before = sharing.cluster.leaks()
    for _ in range(20):
        sharing.run(command, "away")
    assert before.leaked_since(settle=15) == []
