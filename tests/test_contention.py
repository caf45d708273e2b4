"""Threads that all want the same page: each of them gets on, and more nodes cost what their hops cost."""
# SPDX-License-Identifier: GPL-2.0-only

import json

import pytest
from sharing import HOME, SLOWNESS

NODES = 4
MILLISECONDS = 8000  # how long they contend


@pytest.fixture
def four(make_cluster):
    return make_cluster(nodes=NODES, mem="512M")


def contend(cluster, name: str, nodes: str, threads: int) -> dict[str, float]:
    """What the benchmark says they got done."""
    command = ["procshare", "bench", name, "--json", "--count", str(MILLISECONDS), "--nodes", nodes, "--threads", str(threads)]
    said = json.loads(cluster.run(command, HOME, cwd="/", check=True, timeout=120 * SLOWNESS).stdout)
    assert said["figures"]["threads"] == threads
    return said["figures"]


def fair(figures: dict[str, float]) -> bool:
    return 0 < figures["most_steps"] <= 2 * figures["least_steps"]


@pytest.mark.long
def test_eight_writers_of_one_page(four):
    """While others wait, two nodes hand the page over in one hop: GRANT. From one remote node to the next it
    takes two, since home asks for it (FWD) only when it has DONE; so half as many moves are what is to be expected."""
    two = contend(four, "hot-page", "0,1", 2)
    writers = contend(four, "hot-page", "all", 2 * NODES)
    assert fair(two) and fair(writers), (two, writers)
    assert writers["moves_per_s"] >= 0.4 * two["moves_per_s"], (two, writers)
