"""No outcome that sequential consistency forbids is ever seen between nodes."""
# SPDX-License-Identifier: GPL-2.0-only

import re

import pytest
from sharing import HOME, PROGRAMS, SLOWNESS

SHAPES = ("MP", "SB", "LB", "2+2W", "R", "S", "WRC", "RWC", "IRIW", "CoRR")
SAID = re.compile(r"(\S+): (\d+) iterations, (\d+) outcomes, (\d+) forbidden\n")


def litmus(sharing, shape: str, layout: str, iterations: int, policy: str) -> None:
    """Threads of policy spread are each on a processor of its own; those of policy bounce are anywhere."""
    place = ["spread"] if policy == "spread" else []
    command = [f"{PROGRAMS}/litmus", shape, layout, str(iterations), *place]
    outcome = sharing.run(command, policy, timeout=1800)
    said = SAID.fullmatch(outcome.stdout)
    assert said, outcome.stdout + outcome.stderr
    assert said[4] == "0", outcome.stdout
    moved = sum(node["pages_in"] for node in outcome.stats["nodes"])
    assert moved >= iterations, f"{moved} pages moved in {iterations} iterations"
    sharing.note(f"{outcome.stdout.strip()}, {moved} pages moved")


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_forbidden_is_seen(sharing, shape):
    litmus(sharing, shape, "apart", int(200 / SLOWNESS), "spread")


@pytest.mark.long
@pytest.mark.parametrize("policy", ("spread", "bounce:10"))
@pytest.mark.parametrize("layout", ("same", "apart"))
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_forbidden_is_seen_in_many_runs(sharing, shape, layout, policy):
    litmus(sharing, shape, layout, 20000, policy)


def test_store_buffers_are_seen(make_cluster, share):
    """One node with two processors may do what nodes must not: the program can see it.

    Once is enough, so short runs follow each other: where something else has one of the machine's processors, each
    iteration waits for a turn of the other and a long run would take hours.
    """
    sharing = share(make_cluster(nodes=1, cpus=2, join=False))
    for _ in range(20):
        said = sharing.native(f"{PROGRAMS}/litmus SB apart 20000 spread", timeout=120).stdout
        if int(SAID.fullmatch(said)[4]):
            break
    else:
        pytest.fail(said)
    sharing.note(said.strip())
