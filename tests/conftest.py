"""Fixtures of every suite: a cluster that is booted once, and clusters of one's own to break."""
# SPDX-License-Identifier: GPL-2.0-only

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import Cluster  # noqa: E402

FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also tests that take many minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes many minutes, runs only with --long")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes long: use --long"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed


class SharedCluster:
    """Boots three nodes when first wanted, and again after a test has broken them."""

    def __init__(self):
        self._cluster = None

    def get(self) -> Cluster:
        if not self._cluster:
            self._cluster = Cluster(nodes=3).__enter__()
        return self._cluster

    def discard(self) -> None:
        if self._cluster:
            self._cluster.close()
            self._cluster = None


@pytest.fixture(scope="session")
def shared_cluster():
    shared = SharedCluster()
    yield shared
    shared.discard()


@pytest.fixture
def cluster(shared_cluster, request):
    """Three nodes shared by all tests. After a failure the next test gets fresh ones: who knows what is left there."""
    cluster = shared_cluster.get()
    yield cluster
    try:
        cluster.end_jobs()
        cluster.check()
    except Exception:
        shared_cluster.discard()
        raise
    if request.node.stash.get(FAILED, False):
        shared_cluster.discard()


@pytest.fixture
def make_cluster():
    """A function that boots a cluster of the test's own, to kill nodes in or to shape the network of."""
    made = []

    def make(**options) -> Cluster:
        made.append(Cluster(**options).__enter__())
        return made[-1]

    yield make
    for one in made:
        one.close()
