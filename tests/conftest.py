"""Fixtures of every suite: a cluster that is booted once, and clusters of one's own to break."""
# SPDX-License-Identifier: GPL-2.0-only

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import Cluster  # noqa: E402

KERNEL = os.environ.get("PROCSHARE_KERNEL")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also tests that take many minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes many minutes, runs only with --long")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes long: use --long"))


@pytest.fixture(scope="session")
def shared_cluster():
    """Three nodes for the whole run. Use the fixture cluster, which also checks it after each test."""
    with Cluster(nodes=3, kernel=KERNEL) as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster):
    """The shared cluster; a test that makes a kernel complain fails itself, not a later one."""
    yield shared_cluster
    shared_cluster.check()


@pytest.fixture
def make_cluster():
    """A function that boots a cluster of the test's own, to kill nodes in or to shape the network of."""
    made = []

    def make(**options) -> Cluster:
        options.setdefault("kernel", KERNEL)
        made.append(Cluster(**options).__enter__())
        return made[-1]

    yield make
    for one in made:
        one.close()
