"""What the simulator makes of traces of real runs agrees with the runs themselves."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from harness import ClusterError
from harness.simulating import Run, calibrate, compare
from harness.tracing import Tracing
from sharing import HOME, PROGRAMS, SLOWNESS

NODES = 3
# By program: the error of the counts.
COUNTED = {
    "procshare bench hot-page -c 500": 0.15,
    "procshare bench random -c 100": 0.1,
    f"procshare run --policy spread -- {PROGRAMS / 'stencil'} {NODES} 24 10": 0.15,
}
COUNTS = ("faults", "faults with messages", "messages", "pages moved")
# Times are those of a machine that may be busy with other things, more during one of two runs than the other.
TIMES = ("median fault", "waited in faults", "total")
FACTOR = 3


@pytest.fixture(scope="module")
def costs(shared_cluster, tmp_path_factory):
    return calibrate(shared_cluster.get(), tmp_path_factory.mktemp("calibration"), count=50)


@pytest.mark.parametrize("command", COUNTED)
def test_a_replay_agrees_with_the_run(cluster, programs, costs, tmp_path, command):
    run = Run.record(cluster, command, tmp_path, cwd="/", timeout=120 * SLOWNESS)
    figures = compare(run.measured(), run.simulated(costs))
    said = "\n".join(map(str, figures.values()))
    assert figures["faults with messages"].measured > 20, said
    for name in COUNTS:
        assert figures[name].error <= COUNTED[command], said
    for name in TIMES:
        assert figures[name].measured / FACTOR <= figures[name].predicted <= figures[name].measured * FACTOR, said


def test_lost_events_are_an_error(cluster):
    tracing = Tracing(cluster, kilobytes=16)
    tracing.start()
    cluster.run("procshare bench read-fault -c 200", HOME, cwd="/", check=True)
    with pytest.raises(ClusterError, match="lost [0-9]+ trace events"):
        tracing.stop()
