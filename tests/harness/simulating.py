"""Recording real runs, repeating them in the simulator, and comparing the two."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from . import paths
from .cluster import Cluster
from .errors import ClusterError, CommandFailed
from .tracing import KILOBYTES, Tracing

SIMULATOR = paths.PROGRAMS / "procshare-sim"
PROCESS = re.compile(r" process=(0x[0-9a-f]+) ")
# Faults with a page and without, that nothing delays but what runs on the nodes: nothing, or a thread on each. Both are
# of home and node 1.
CALIBRATIONS = {
    "idle": "procshare bench read-fault -c {count} && procshare bench upgrade -c {count}",
    "busy": "procshare bench ping-pong -c {count}",
}
COMPUTE = "while :; do :; done"


def simulator(*arguments: str | Path) -> str:
    done = subprocess.run([SIMULATOR, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise CommandFailed(done.stderr.strip())
    return done.stdout


@dataclass(frozen=True)
class Run:
    """A recorded run: the text of each node's events, in files."""

    files: list[Path]
    process: str  # that did most of what was recorded

    @classmethod
    def record(cls, cluster: Cluster, command: str | list[str], directory: Path, kilobytes: int = KILOBYTES, **options) -> Run:
        """Runs the command on node 0 while all nodes trace."""
        directory.mkdir(parents=True, exist_ok=True)
        tracing = Tracing(cluster, kilobytes=kilobytes)
        tracing.start()
        done = cluster.run(command, **options)
        texts = tracing.stop()
        files = []
        for node, text in sorted(texts.items()):
            files.append(directory / f"node{node}.txt")
            files[-1].write_text(text)
        if done.returncode:
            raise CommandFailed(f"exit status {done.returncode}: {command}\n{done.stdout}{done.stderr}")
        processes = Counter(match for text in texts.values() for match in PROCESS.findall(text))
        if not processes:
            raise ClusterError(f"no page of a shared process moved: is that one? {command}")
        return cls(files, processes.most_common(1)[0][0])

    def costs(self) -> list[str]:
        """Options for the simulator, calibrated with this run."""
        return simulator("calibrate", "--align", *self.files).split()

    def measured(self) -> dict:
        return json.loads(simulator("measure", "--json", "--align", "--process", self.process, *self.files))

    def trace(self) -> Path:
        """What was asked for, for the simulator."""
        trace = self.files[0].with_name("program.trace")
        simulator("convert", "--align", "--process", self.process, "-o", trace, *self.files)
        return trace

    def simulated(self, costs: list[str]) -> dict:
        return json.loads(simulator("run", "--json", "--trace", self.trace(), *costs))


def calibrate(cluster: Cluster, directory: Path, count: int = 200) -> dict[str, list[str]]:
    """The cluster's costs while the other nodes do nothing, and while a thread computes on each."""
    costs = {"idle": calibrate_one(cluster, "idle", directory, count)}
    computing = [cluster.start(COMPUTE, node, cwd="/") for node in cluster.live_nodes()[2:]]
    try:
        costs["busy"] = calibrate_one(cluster, "busy", directory, count)
    finally:
        for job in computing:
            job.send_signal(signal.SIGKILL, whole_group=True)
            job.wait(30)
    return costs


def calibrate_one(cluster: Cluster, load: str, directory: Path, count: int) -> list[str]:
    return Run.record(cluster, CALIBRATIONS[load].format(count=count), directory / load, cwd="/", timeout=300).costs()


@dataclass(frozen=True)
class Figure:
    """Of one run, as it was and as it was predicted."""

    name: str
    measured: float
    predicted: float
    unit: str = field(default="")

    @property
    def error(self) -> float:
        """Relative; none is 0, and so is nothing predicted where nothing was."""
        return abs(self.predicted - self.measured) / max(self.measured, 1e-9) if self.predicted != self.measured else 0

    def __str__(self) -> str:
        return f"{self.name}: {self.measured:g} measured, {self.predicted:g} predicted{self.unit and ' ' + self.unit}"


def compare(measured: dict, predicted: dict) -> dict[str, Figure]:
    """By name: how often, how long, of which kind."""
    figures = []

    def add(name: str, value, unit: str = "") -> None:
        figures.append(Figure(name, value(measured), value(predicted), unit))

    add("faults", lambda run: sum(row["count"] for row in run["faults"]))
    add("faults with messages", lambda run: sum(row["count"] for row in run["faults"] if row["row"] != "no message"))
    add("messages", lambda run: run["messages"])
    add("pages moved", lambda run: run["pages"])
    add("median fault", lambda run: run["median_ns"] / 1e6, "ms")
    add("waited in faults", lambda run: run["waited_ns"] / 1e6, "ms")
    add("total", lambda run: run["makespan_ns"] / 1e6, "ms")
    for number, row in enumerate(measured["faults"]):
        add(row["row"], lambda run: run["faults"][number]["count"])
        add(f"median of {row['row']}", lambda run: run["faults"][number]["median_ns"] / 1e6, "ms")
    for kind in measured["types"]:
        add(kind, lambda run: run["types"][kind])
    return {figure.name: figure for figure in figures}
