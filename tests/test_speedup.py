"""Benchmark programs with two threads: all on one node, then on two. The same output, sooner."""
# SPDX-License-Identifier: GPL-2.0-only

import os
import time
from dataclasses import dataclass, replace

import pytest
from harness.paths import BUILD
from sharing import HOME, PROGRAMS, Outcome

TABLE = BUILD / "speedup.txt"
# How much faster two nodes are than one: most programs, and those whose threads have nothing to do with each other.
LOW, HIGH = 1.5, 1.9
RUNS = 2
ENOUGH = 6  # programs that are faster than LOW
QUIET = 0.05  # of the machine's processors, what others may use while something is measured
DATA, PACKED = "/tmp/speedup.data", "/tmp/speedup.xz"
# An emulated processor's TLB gets larger only when another process has used it: one that does hardly anything.
OTHER = "import time\nwhile True: time.sleep(0.05)"


@dataclass(frozen=True)
class Program:
    """What is run, and some of what it must say: figures that its suite publishes, where it has any."""

    command: str
    says: str = ""
    independent: bool = False


KERNELS = PROGRAMS / "kernels"
CASES = {
    "ep": Program(f"{KERNELS}/ep 2 28", "sums -4.29587516563", independent=True),
    "monte-carlo": Program(f"{KERNELS}/monte-carlo 2 800000", independent=True),
    "stencil": Program(f"{KERNELS}/stencil 2 128 30"),
    "matmul": Program(f"{KERNELS}/matmul 2 768"),
    "fft": Program(f"{KERNELS}/fft 2 128 128 32 6", "step 6: 5.504159734538e+02 5.239212247086e+02\n"),
    "radix": Program(f"{KERNELS}/radix 2 {8 << 20}"),
    "kmeans": Program(f"{KERNELS}/kmeans 2 200000 15"),
    "xz": Program(f"xz -T2 --block-size=1MiB -6 -c {DATA} >{PACKED}"),
}  # fmt: skip
# Shorter ones, and how many messages they may need.
BRIEF = {
    "ep": (Program(f"{KERNELS}/ep 2 25", "sums -2.863319731646e+03 -6.320053679109e+03\n"), 1000),
    "matmul": (Program(f"{KERNELS}/matmul 2 384"), 5000),
}


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
    """One run: what the program said, how long it took, and how much of the machine somebody else had."""

    outcome: Outcome
    said: str
    seconds: float
    others: float

    def sum_of(self, *counters: str) -> int:
        return sum(node[counter] for node in self.outcome.stats["nodes"] for counter in counters)


def clock_of(result) -> tuple[str, float]:
    """Output, and time: the kernels say themselves how long their parallel part took, as their suites have it."""
    said, clock, seconds = result.stdout.rpartition("seconds ")
    return (said, float(seconds)) if clock else (result.stdout, result.seconds)


def measure(sharing, program: Program, policy: str) -> Measured:
    before = Use.now(sharing.cluster)
    outcome = sharing.run(f"exec {program.command}", policy, timeout=300)
    after = Use.now(sharing.cluster)
    assert outcome.returncode == 0, outcome.stderr
    nodes = sum(after.nodes) - sum(before.nodes)
    others = (after.everybody - before.everybody - nodes) / (after.at - before.at) / os.cpu_count()
    said, seconds = clock_of(outcome)
    said = said or sharing.native(f"md5sum {PACKED}", check=True).stdout
    return Measured(outcome, said, seconds, others)


def measure_beside(sharing, program: Program) -> Measured:
    """On home alone, while the other node runs a copy of its own: what a node does when both are busy."""
    copy = sharing.cluster.start(["sh", "-c", f"exec {program.command}"], 1, cwd="/tmp")
    measured = measure(sharing, program, "home")
    copied = clock_of(copy.wait(300, check=True))[1]
    return replace(measured, seconds=(measured.seconds + copied) / 2)


@dataclass(frozen=True)
class Comparison:
    """A program on one node and on two: of each the fastest of several runs, which is what others disturbed least."""

    name: str
    alone: Measured
    beside: Measured
    two: Measured

    @property
    def speedup(self) -> float:
        return self.alone.seconds / self.two.seconds

    @property
    def limit(self) -> float:
        """What the machine allows: emulated nodes that are busy at once slow each other down, shared or not."""
        return 2 * self.alone.seconds / self.beside.seconds

    @property
    def others(self) -> float:
        return max(self.alone.others, self.two.others)

    def row(self) -> str:
        faults = "/".join(str(self.two.sum_of(f"fault_{kind}")) for kind in ("read", "write", "upgrade"))
        counts = (self.two.sum_of(counter) for counter in ("pages_in", "invalidations", "calls", "messages"))
        return (
            f"{self.name:12}{self.alone.seconds:8.2f}{self.beside.seconds:8.2f}{self.two.seconds:8.2f}"
            f"{self.speedup:8.2f}{self.limit:8.2f}"
            f"{self.two.outcome.remote_share:8.0%}{self.alone.outcome.seconds:9.2f}{self.two.outcome.seconds:9.2f}"
            f"{self.two.sum_of('user_ns') / 1e9:8.2f}{self.two.sum_of('system_ns') / 1e9:9.2f}"
            f"{faults:>17}" + "".join(f"{count:9}" for count in counts) + f"{self.others:8.0%}"
        )


HEADING = (
    f"{'':12}{'one s':>8}{'beside':>8}{'two s':>8}{'faster':>8}{'limit':>8}{'remote':>8}{'one, all':>9}{'two, all':>9}"
    f"{'user s':>8}{'system s':>9}{'faults r/w/up':>17}{'pages':>9}{'invalid.':>9}{'calls':>9}{'messages':>9}"
    f"{'others':>8}"
)


def compare(sharing, name: str, program: Program, runs: int) -> Comparison:
    alone, beside, two = [], [], []
    for _ in range(runs):
        alone.append(measure(sharing, program, "home"))
        beside.append(measure_beside(sharing, program))
        two.append(measure(sharing, program, "spread"))
    said = {run.said for run in alone + beside + two}
    assert len(said) == 1 and program.says in said.pop()
    for run in two:
        # Half of the work, but one emulator may be twice as fast as the other meanwhile.
        assert 0.3 < run.outcome.remote_share < 0.7, run.outcome.verdict()
    return Comparison(name, *(min(some, key=lambda run: run.seconds) for some in (alone, beside, two)))


@pytest.fixture
def two_nodes(share, make_cluster):
    """One processor each, as the machine that runs them has two."""
    sharing = share(make_cluster(nodes=2))
    for node in range(2):
        sharing.cluster.run(f"head -c {24 << 20} /usr/bin/qemu-system-x86_64 >{DATA}", node, check=True, cwd="/")
        sharing.cluster.start(["/usr/bin/python3", "-c", OTHER], node, cwd="/")
    return sharing


@pytest.fixture(scope="module")
def found():
    """What the measurements have given so far, by program."""
    return {}


@pytest.mark.parametrize("name", BRIEF)
def test_half_of_the_work_goes_without_much_traffic(two_nodes, name):
    """What makes them fast, by counters instead of by the clock, so it holds on a busy machine, too."""
    program, most = BRIEF[name]
    once = compare(two_nodes, name, program, runs=1)
    two_nodes.note(once.row())
    assert once.two.sum_of("messages") <= most


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CASES)
def test_same_on_two_nodes(two_nodes, found, name):
    found[name] = compare(two_nodes, name, CASES[name], RUNS)
    two_nodes.note("\n    ".join([HEADING, found[name].row()]))


@pytest.mark.long
def test_two_nodes_are_faster_than_one(found):
    """The verdict on what the tests before have measured."""
    if found.keys() != CASES.keys():
        pytest.skip("not all programs have been measured")
    table = "\n".join([HEADING, *(one.row() for one in found.values())])
    TABLE.write_text(table + "\n")
    if max(one.others for one in found.values()) > QUIET:
        pytest.skip(f"the machine had other things to do, see the last column of {TABLE}")
    assert [name for name in CASES if CASES[name].independent and found[name].speedup <= HIGH] == [], table
    assert sum(one.speedup > LOW for one in found.values()) >= ENOUGH, table
