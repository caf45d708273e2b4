"""Fixtures of every suite: a cluster that is booted once, clusters of one's own to break, shared programs in them."""
# SPDX-License-Identifier: GPL-2.0-only

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import Cluster  # noqa: E402
from sharing import PROGRAMS, SLOWNESS, Sharing  # noqa: E402

SOURCES = Path(__file__).parent / "programs"

FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also tests that take many minutes")
    parser.addoption("--passed-before", metavar="FILE", help="names of tests not to run again; those that pass are added")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes many minutes, runs only with --long")
    config.addinivalue_line("markers", "quick: the five-minute subset for slow kernels: -m quick")


def is_long(item) -> bool:
    """The policies are a matrix: everyday programs go through all of it, the rest through away."""
    if item.get_closest_marker("long"):
        return True
    if item.path.stem == "test_programs":
        return False
    return "bounce" in item.name or (
        "spread" in item.name
        and item.path.stem in ("test_carried", "test_memory", "test_threads", "test_signals", "test_processes")
    )


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        config.hook.pytest_deselected(items=[item for item in items if is_long(item)])
        items[:] = [item for item in items if not is_long(item)]
    passed = passed_before(config)
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
    items[:] = [item for item in items if item.nodeid not in passed]


def passed_before(config) -> set[str]:
    """The tests that an earlier, unfinished run of the same tree need not repeat."""
    file = config.getoption("--passed-before")
    return set(Path(file).read_text().splitlines()) if file and Path(file).exists() else set()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed or report.skipped
    file = item.config.getoption("--passed-before")
    if file and report.when == "teardown" and not item.stash[FAILED]:
        with open(file, "a") as passed:
            passed.write(item.nodeid + "\n")


@pytest.hookimpl(hookwrapper=True)
def pytest_report_teststatus(report, config):
    """The share of remote CPU time stands beside the verdict."""
    outcome = yield
    notes = [text for kind, text in report.user_properties if kind == "share"]
    category, letter, word = outcome.get_result()
    if notes and report.when == "call" and report.passed and isinstance(word, str):
        outcome.force_result((category, letter, "\n    ".join([word, *notes])))


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


@pytest.fixture(scope="session")
def programs():
    """The directory of the test programs, built."""
    done = subprocess.run(["make", "-j2", "-C", str(SOURCES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return PROGRAMS


@pytest.fixture(scope="session")
def clean():
    """What each cluster held before its first shared program."""
    return {}


@pytest.fixture
def share(programs, request, clean):
    """A function that makes a cluster a place for shared programs, and proves at the end that they left nothing."""
    watched = []

    def watch(cluster: Cluster) -> Sharing:
        sharing = Sharing(cluster, lambda note: request.node.user_properties.append(("share", note)))
        # A cluster that tests share is looked at once: each of them has left no more than there was then.
        if cluster not in clean:
            clean[cluster] = sharing.leftovers()
        watched.append(cluster)
        return sharing

    yield watch
    for cluster in watched:
        cluster.end_jobs()
        assert clean[cluster].leaked_since(settle=15 * SLOWNESS) == []


@pytest.fixture
def sharing(share, cluster):
    """The three nodes that all tests share."""
    return share(cluster)
