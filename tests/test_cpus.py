"""A shared process sees the processors of all its nodes, and runs where it asks to run."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import HOME, POLICIES, PROGRAMS

CPUS = f"{PROGRAMS}/cpus"


def counted(number: int) -> str:
    return f"affinity {number} online {number} configured {number} openmp {number}\ncount: right\n"


@pytest.mark.parametrize("policy", ("spread", "away"))
def test_sees_the_processors_of_its_nodes(sharing, policy):
    assert sharing.run([CPUS, "count"], policy).stdout == counted(3)
    assert sharing.run([CPUS, "count"], policy, nodes="0,2").stdout == counted(2)
    assert sharing.run(["nproc"], policy).stdout == "3\n"
    assert sharing.run(["python3", "-c", "import os; print(os.cpu_count())"], policy).stdout == "3\n"


def test_sees_those_of_home_only_where_that_is_wanted(sharing):
    run = sharing.cluster.run
    assert run(f"procshare run --cpus=home --policy away -- {CPUS} count", HOME, cwd="/").stdout == counted(1)
    assert run(f"procshare run --policy home -- {CPUS} count", HOME, cwd="/").stdout == counted(1)
    assert run(f"{CPUS} count", HOME, cwd="/").stdout == counted(1)
    refused = run(f"procshare run --cpus=all -- {CPUS} count", HOME, cwd="/")
    assert refused.returncode == 125 and "cluster" in refused.stderr and refused.stderr.count("\n") == 1


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("pin", "other", "inherit", "per-cpu", "fence", "nice"))
def test_runs_on_the_processors_it_asks_for(sharing, part, policy):
    sharing.part("cpus", part, policy)


def test_taskset_places_a_program(sharing):
    outcome = sharing.run(["taskset", "-c", "2", "sh", "-c", "nproc; taskset -cp $$; exec nproc"], "spread")
    assert outcome.stdout.splitlines()[0] == "1" and outcome.stdout.endswith("affinity list: 2\n1\n"), outcome.stdout
    assert outcome.arrivals[2] and not outcome.arrivals.get(1)


def test_nodes_with_two_processors(make_cluster, share):
    """Numbers go on where those of the node before end; a thread stays on the processor that it was given."""
    sharing = share(make_cluster(nodes=2, cpus=2))
    assert sharing.run([CPUS, "count"], "spread").stdout == counted(4)
    for part in ("pin", "other", "inherit", "per-cpu", "fence"):
        sharing.part("cpus", part, "away")
