"""Time is home's on every node."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import HOME, POLICIES


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
