"""Benchmark programs with two threads: all on one node, then on two. The same output, sooner."""
# SPDX-License-Identifier: GPL-2.0-only

import os
import time
from dataclasses import dataclass

import pytest
from harness.paths import BUILD
from sharing import HOME, PROGRAMS, Outcome

TABLE = BUILD / "speedup.txt"
LOW, HIGH = 1.5, 1.9  # how much faster two nodes are: most programs, and those whose threads have nothing to do with each other
ENOUGH = 6  # programs that are faster than LOW
QUIET = 0.05  # of the machine's processors, what others may use while something is measured
DATA, PACKED = "/tmp/speedup.data", "/tmp/speedup.xz"


@dataclass(frozen=True)
class Program:
    """What is run, and some of what it must say: figures that its suite publishes, where it has any."""

    family: str
    command: str
    says: str = ""
    independent: bool = False


KERNELS = PROGRAMS / "kernels"
CASES = {
    "ep": Program("NAS EP, class S", f"{KERNELS}/ep 2 24", "sums -3.247834652035e+03 -6.958407078383e+03\n", independent=True),
    "monte-carlo": Program("Monte Carlo pricing", f"{KERNELS}/monte-carlo 2 40000", independent=True),
    "stencil": Program("Himeno, size S", f"{KERNELS}/stencil 2 64 20"),
    "matmul": Program("blocked product", f"{KERNELS}/matmul 2 640"),
    "fft": Program("NAS FT, class W", f"{KERNELS}/fft 2 128 128 32 6", "step 6: 5.504159734538e+02 5.239212247086e+02\n"),
    "radix": Program("partitioned radix sort", f"{KERNELS}/radix 2 {8 << 20}"),
    "kmeans": Program("Phoenix kmeans", f"{KERNELS}/kmeans 2 100000 8"),
    "xz": Program("parallel compression", f"xz -T2 --block-size=1MiB -6 -c {DATA} >{PACKED}"),
}  # fmt: skip


@dataclass(frozen=True)
class Use:
    """CPU time of the machine so far: of each node, and of everybody."""

    nodes: list[float]
    everybody: float
    at: float

    @classmethod
    def now(cls, cluster) -> "Use":
        ticks = [int(field) for field in open("/proc/stat").readline().split()[1:9]]
        idle, iowait = ticks[3:5]
        busy = (sum(ticks) - idle - iowait) / os.sysconf("SC_CLK_TCK")
        return cls([node.cpu_seconds() for node in cluster.nodes], busy, time.monotonic())


@dataclass(frozen=True)
class Measured:
    """One run: what the program said, how long it took, what the nodes' processors did meanwhile."""

    outcome: Outcome
    said: str
    seconds: float
    nodes: list[float]  # CPU time of the machine
    others: float  # share of the machine that somebody else had

    def sum_of(self, *counters: str) -> int:
        return sum(node[counter] for node in self.outcome.stats["nodes"] for counter in counters)


def measure(sharing, program: Program, policy: str) -> Measured:
    before = Use.now(sharing.cluster)
    outcome = sharing.run(f"exec {program.command}", policy)
    after = Use.now(sharing.cluster)
    assert outcome.returncode == 0, outcome.stderr
    nodes = [now - then for now, then in zip(after.nodes, before.nodes)]
    others = (after.everybody - before.everybody - sum(nodes)) / (after.at - before.at) / os.cpu_count()
    # The kernels say themselves how long their parallel part took, as their suites have it.
    said, clock, seconds = outcome.stdout.rpartition("seconds ")
    if not clock:
        said = sharing.native(f"md5sum {PACKED}", check=True).stdout
    return Measured(outcome, said, float(seconds) if clock else outcome.seconds, nodes, others)


@dataclass(frozen=True)
class Comparison:
    """A program on one node and on two."""

    name: str
    one: Measured
    two: Measured

    @property
    def speedup(self) -> float:
        return self.one.seconds / self.two.seconds

    @property
    def division(self) -> float:
        """How much faster it would be if nobody ever waited: what a busy machine does not change much."""
        return max(self.one.nodes) / max(self.two.nodes)

    @property
    def others(self) -> float:
        return max(self.one.others, self.two.others)

    @property
    def bar(self) -> float:
        return HIGH if CASES[self.name].independent else LOW

    def row(self) -> str:
        faults = self.two.sum_of("fault_read"), self.two.sum_of("fault_write"), self.two.sum_of("fault_upgrade")
        return (
            f"{self.name:12}{self.one.seconds:8.2f}{self.two.seconds:8.2f}{self.speedup:8.2f}{self.division:10.2f}"
            f"{self.two.outcome.remote_share:8.0%}{self.two.outcome.seconds:8.2f}{self.two.sum_of('system_ns') / 1e9:8.2f}"
            f"{self.two.sum_of('pages_in'):8}{'/'.join(map(str, faults)):>18}{self.two.sum_of('invalidations'):8}"
            f"{self.two.sum_of('calls'):8}{self.two.sum_of('messages'):9}{self.others:8.0%}"
        )


HEADING = (
    f"{'':12}{'one s':>8}{'two s':>8}{'faster':>8}{'division':>10}{'remote':>8}{'wall s':>8}{'system':>8}"
    f"{'pages':>8}{'faults r/w/up':>18}{'invalid':>8}{'calls':>8}{'messages':>9}{'others':>8}"
)


def compare(sharing, name: str) -> Comparison:
    program = CASES[name]
    one, two = (measure(sharing, program, policy) for policy in ("home", "spread"))
    assert one.said == two.said and program.says in one.said
    assert one.outcome.remote_share == 0 and 0.4 < two.outcome.remote_share < 0.6, two.outcome.verdict()
    return Comparison(name, one, two)


@pytest.fixture
def two_nodes(share, make_cluster):
    """One processor each, as the machine that runs them has two."""
    sharing = share(make_cluster(nodes=2))
    sharing.native(f"cat /usr/bin/python3.11 >{DATA}", check=True)
    return sharing


@pytest.mark.parametrize("name", ["ep", "stencil"])
def test_the_work_is_divided(two_nodes, name):
    """By CPU time and not by the clock, so it holds on a busy machine, too."""
    found = compare(two_nodes, name)
    two_nodes.note(found.row())
    assert found.division > found.bar


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_two_nodes_are_faster_than_one(two_nodes):
    found = [compare(two_nodes, name) for name in CASES]
    table = "\n".join([HEADING, *(one.row() for one in found)])
    TABLE.write_text(table + "\n")
    print(table)
    if max(one.others for one in found) > QUIET:
        pytest.skip(f"the machine has other things to do, see the last column of {TABLE}")
    slow = [one.name for one in found if CASES[one.name].independent and one.speedup <= one.bar]
    assert not slow, table
    assert sum(one.speedup > LOW for one in found) >= ENOUGH, table
