"""Time is home's on every node."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import HOME, POLICIES, PROGRAMS, poll


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("steady", "sleep", "files", "seconds", "counter", "cpu"))
def test_time_is_homes(sharing, part, policy):
    sharing.part("clocks", part, policy)


def test_home_sets_its_clock(make_cluster, share):
    """Nodes whose wall clocks are hours apart, and one that is set while the shadow process is there."""
    sharing = share(make_cluster(nodes=3))
    sharing.cluster.run("date -s '+5 hours'", HOME, check=True)
    sharing.part("clocks", "files", "away")
    sharing.part("clocks", "seconds", "away")
    script = "date +%s; date -s '-3 hours' >/dev/null; sleep 0.1; date +%s; touch /tmp/new; stat -c %Y /tmp/new; date +%s"
    first, second, file, third = map(int, sharing.run(["bash", "-c", script], "away").stdout.split())
    assert -3 * 3600 <= second - first < -3 * 3600 + 60
    # Files have the coarse clock's time, which may be of the second before.
    assert second - 1 <= file <= third


@pytest.mark.parametrize("ppm", (-3000, 3000))
def test_clocks_drift_apart(make_cluster, share, ppm):
    """The clocks of other nodes are slower or faster than home's: time is home's, and does not step back."""
    sharing = share(make_cluster(nodes=3))
    for node in (1, 2):
        sharing.cluster.run(f"busybox adjtimex -t {10000 + ppm // 100}", node, check=True)
    sharing.part("clocks", "steady", "bounce:5")
    if ppm < 0:
        sharing.part("clocks", "drift", "away")


def test_executors_may_be_kept_from_running(sharing):
    """Nodes go on saying what CPU time is used while home is too busy to listen."""
    job = sharing.start([f"{PROGRAMS}/clocks", "irregular"], "away", nodes="1,2")
    pid = job.wait_started()
    poll("it is away", lambda: len(sharing.where(pid) - {HOME}) == 2)
    sharing.cluster.run(f"chrt --all-tasks --idle --pid 0 {pid}", HOME, check=True)
    # For longer than it takes to say so much that an executor would have to listen.
    busy = [sharing.cluster.start("timeout 5 sh -c 'while :; do :; done'", HOME) for _ in range(5)]
    result = job.wait(60)
    for other in busy:
        other.wait(60)
    assert (result.returncode, result.stdout) == (0, "irregular: right\n"), sharing.cluster.console(HOME)[-500:]
