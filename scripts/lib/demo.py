"""What scripts/demo does once everything is installed and built: boot, run, compare, show."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import json
import os
import sys
import tarfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness import Cluster, ClusterError  # noqa: E402
from harness.job import Job  # noqa: E402

NODES = 3
DATA_BYTES = 64 << 20
SOURCE = Path("/usr/src/linux-source-6.12.tar.xz")
DATA = ROOT / "build/demo/linux.tar"
PROGRAM = f"pigz -9 -p {NODES}"
SAMPLE_SECONDS = 5
TIMEOUT = 1800
NODE_STEP = "sed -n 's/^pos:[^0-9]*//p' /proc/$(pidof -s pigz)/fdinfo/0 && procshare ps -j"


class DemoError(Exception):
    """The demonstration did not show what it should."""


@dataclass
class Run:
    """One run of the program: how long it took, and where its threads were seen."""

    seconds: float = 0
    where: dict[int, Counter[int]] = field(default_factory=dict)

    def threads_on(self, node: int) -> int:
        """Threads that were on the node more often than anywhere else."""
        return sum(seen.most_common(1)[0][0] == node for seen in self.where.values())


def say(message: str) -> None:
    print(f"demo: {message}", flush=True)


# What is compressed.


def make_data() -> None:
    """A tar of the first files of the kernel's source: real data, and the same bytes for the same package."""
    if DATA.exists() and DATA.stat().st_mtime > SOURCE.stat().st_mtime:
        return
    say(f"unpacking {DATA_BYTES >> 20} MiB of {SOURCE}")
    fresh = DATA.with_suffix(".new")
    with tarfile.open(SOURCE, "r|xz") as source, tarfile.open(fresh, "w") as data:
        for member in source:
            data.addfile(member, source.extractfile(member) if member.isfile() else None)
            if data.offset >= DATA_BYTES:
                break
    fresh.replace(DATA)


# Running it.


def look(cluster: Cluster, run: Run) -> str:
    """One look at the program while it runs: where its threads are, and a line for people."""
    result = cluster.run(NODE_STEP)
    position, _, processes = result.stdout.partition("\n")
    if result.returncode or not position.isdigit():
        return ""
    threads = [thread for process in json.loads(processes)["processes"] for thread in process["threads"]]
    for thread in threads:
        node = thread["node"] if thread["node"] in range(NODES) else 0
        run.where.setdefault(thread["tid"], Counter())[node] += 1
    here = Counter(thread["node"] if thread["node"] in range(NODES) else 0 for thread in threads)
    places = ", ".join(f"{here[n]} on node {n}" for n in sorted(here))
    line = f"{int(position) >> 20} of {DATA.stat().st_size >> 20} MiB read"
    return line + (f"; threads: {places}" if places else "")


def watch(cluster: Cluster, job: Job) -> Run:
    run, begin = Run(), time.monotonic()
    while job.poll() is None:
        time.sleep(SAMPLE_SECONDS)
        if job.poll() is None and (line := look(cluster, run)):
            say(f"  {time.monotonic() - begin:4.0f} s: {line}")
        if time.monotonic() - begin > TIMEOUT:
            raise DemoError(f"the program is not done after {TIMEOUT} s: see {cluster.logs}")
    run.seconds = job.wait(check=True).seconds
    return run


def run_program(cluster: Cluster, prefix: str, output: str) -> Run:
    command = f"{prefix}{PROGRAM} < /tmp/data > /tmp/{output}"
    say(f"$ {command}")
    return watch(cluster, cluster.start(command, cwd="/"))


def compare(cluster: Cluster) -> str:
    if cluster.run("cmp /tmp/one /tmp/three", cwd="/").returncode:
        raise DemoError("the two results differ: this is a bug, please report it with build/demo and build/logs")
    if cluster.run("unpigz -c < /tmp/three | cmp - /tmp/data", cwd="/", timeout=600).returncode:
        raise DemoError("the result does not unpack to what was compressed: this is a bug, please report it")
    size, digest = cluster.run("stat -c %s /tmp/three; sha256sum < /tmp/three", cwd="/").stdout.split()[:2]
    return f"{int(size):,} bytes, SHA-256 {digest[:16]}..."


# Showing it.

COLUMNS = ("", "threads", "user s", "system s", "faults", "pages in", "pages out", "calls forwarded", "wall s")


def usage_cells(usage: dict, faults: str) -> list[str]:
    return [
        f"{usage['user_ns'] / 1e9:.1f}", f"{usage['system_ns'] / 1e9:.1f}", faults,
        f"{usage['pages_in']:,}", f"{usage['pages_out']:,}", f"{usage['calls']:,}",
    ]  # fmt: skip


def fault_count(usage: dict) -> int:
    return usage["fault_read"] + usage["fault_write"] + usage["fault_upgrade"]


def node_row(usage: dict, home: int, run: Run) -> list[str]:
    node = usage["node"]
    # What home fetches back is in its pages; the kernel counts faults of remote nodes only.
    faults = "-" if node == home else f"{fault_count(usage):,}"
    name = f"node {node}" + (" (home)" if node == home else "")
    return [name, str(run.threads_on(node)), *usage_cells(usage, faults), ""]


def total_row(nodes: list[dict], run: Run) -> list[str]:
    total = {key: sum(usage[key] for usage in nodes) for key in nodes[0]}
    return ["together", str(len(run.where)), *usage_cells(total, f"{fault_count(total):,}"), f"{run.seconds:.1f}"]


def print_table(rows: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        print("  ".join(cells).rstrip())


def show(shared: dict, alone: dict, one: Run, three: Run) -> None:
    rows = [list(COLUMNS)]
    rows += [node_row(usage, shared["home"], three) for usage in shared["nodes"]]
    rows.append(total_row(shared["nodes"], three))
    single = usage_cells(alone["nodes"][0], "-")
    rows.append(["one node alone", str(len(one.where)), *single, f"{one.seconds:.1f}"])
    print()
    print_table(rows)
    reasons = ", ".join(f"{name} {count}" for name, count in shared["reasons"].items() if count)
    print(f"\nuser CPU time on remote nodes: {100 * shared['remote_user_share']:.1f} %; threads came home: ", end="")
    print(reasons or "never")
    print(f"wall time: {three.seconds:.1f} s on three nodes, {one.seconds:.1f} s on one", end="")
    print(f": {one.seconds / three.seconds:.2f} times as fast")


def explain_speed(cluster: Cluster) -> None:
    cpus = len(os.sched_getaffinity(0))
    if cpus < NODES:
        print(f"This machine has {cpus} processors for {NODES} nodes: at best it can be {cpus} times as fast.")
    if cluster.machine.accel == "tcg":
        print("The nodes are emulated (no usable KVM): computing is slow, and a page's way even slower in proportion.")


def read_stats(cluster: Cluster, path: str) -> dict:
    text = cluster.run(["cat", path], check=True).stdout
    (ROOT / "build/demo" / Path(path).name).write_text(text)
    return json.loads(text)


def demonstrate(cluster: Cluster) -> None:
    say(f"{NODES} nodes are up ({cluster.machine.accel}); consoles in {cluster.logs.relative_to(ROOT)}/node*.log")
    # pigz writes the file's time into its output: give it one, so that every run of the demo has the same result.
    cluster.run(f"cat {DATA} > /tmp/data && touch -d @1 /tmp/data", check=True, cwd="/", timeout=300)
    say(f"on one node, as a reference: {PROGRAM}")
    one = run_program(cluster, "procshare run --policy home --stats=/tmp/one.json -j -- ", "one")
    say("the same on three nodes: every new thread goes to the next node")
    three = run_program(cluster, "procshare run --policy spread --stats=/tmp/three.json -j -- ", "three")
    say("comparing the results")
    result = compare(cluster)
    shared, alone = (read_stats(cluster, f"/tmp/{name}.json") for name in ("three", "one"))
    show(shared, alone, one, three)
    explain_speed(cluster)
    print(f"The two results are identical ({result}) and unpack to what was compressed.\n")
    away = [usage for usage in shared["nodes"] if usage["node"] != shared["home"] and usage["user_ns"]]
    if len(away) < NODES - 1:
        raise DemoError("some node did nothing: see the table")


def main() -> int:
    begin = time.monotonic()
    try:
        say("3 of 4: the data and the nodes")
        make_data()
        with Cluster(nodes=NODES) as cluster:
            say("4 of 4: the program")
            demonstrate(cluster)
    except (ClusterError, DemoError, OSError, TimeoutError) as error:
        say(f"failed: {error}")
        return 1
    say(f"done in {time.monotonic() - begin:.0f} s; log in build/demo/demo.log, counters in build/demo/*.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
