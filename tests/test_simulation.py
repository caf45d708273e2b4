"""What the simulator makes of traces of real runs agrees with the runs themselves."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from harness import ClusterError
from harness.simulating import CALIBRATIONS, Run, calibrate, compare
from harness.tracing import Tracing
from sharing import HOME, SLOWNESS
from sharing import PROGRAMS as BUILT

NODES = 3
# By program: what the nodes do meanwhile, and the error of the counts.
PROGRAMS = {
    "procshare bench hot-page -c 500": ("busy", 0.3),
    "procshare bench random -c 100": ("idle", 0.1),
    f"procshare run --policy spread -- {BUILT / 'stencil'} {NODES} 24 10": ("busy", 0.3),
}
COUNTS = ("faults", "faults with messages", "messages", "pages moved")
# Most of it is the threads' own time, which is in the trace.
TOTAL_ERROR = 0.4
# Of a median, in the very run that the costs are from: other runs may be on a busier machine.
TIME_ERROR = 0.5


@pytest.fixture(scope="module")
def costs(shared_cluster, tmp_path_factory):
    return calibrate(shared_cluster.get(), tmp_path_factory.mktemp("calibration"), count=50)


@pytest.mark.long
@pytest.mark.parametrize("command", PROGRAMS)
def test_a_replay_agrees_with_the_run(cluster, programs, costs, tmp_path, command):
    load, error = PROGRAMS[command]
    run = Run.record(cluster, command, tmp_path, cwd="/", timeout=120 * SLOWNESS)
    figures = compare(run.measured(), run.simulated(costs[load]))
    said = "\n".join(map(str, figures.values()))
    assert figures["faults with messages"].measured > 20, said
    for name in COUNTS:
        assert figures[name].error <= error, said
    assert figures["total"].error <= TOTAL_ERROR, said


@pytest.mark.long
def test_a_fault_lasts_as_long_as_its_parts(cluster, tmp_path):
    run = Run.record(cluster, CALIBRATIONS["idle"].format(count=100), tmp_path, cwd="/", timeout=120 * SLOWNESS)
    figures = compare(run.measured(), run.simulated(run.costs()))
    said = "\n".join(map(str, figures.values()))
    for name in ("median fault", "waited in faults"):
        assert figures[name].error <= TIME_ERROR, said
    assert figures["messages"].error <= 0.05, said


def test_lost_events_are_an_error(cluster):
    tracing = Tracing(cluster, kilobytes=16)
    tracing.start()
    cluster.run("procshare bench read-fault -c 200", HOME, cwd="/", check=True)
    with pytest.raises(ClusterError, match="lost [0-9]+ trace events"):
        tracing.stop()
