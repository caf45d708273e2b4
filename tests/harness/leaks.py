"""What the nodes hold - processes, sockets, slab objects, memory - so that a test can prove it left nothing behind."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import time
from dataclasses import dataclass

# Shell builtins only, so that this one costs nothing. Shrinking returns what the per-CPU lists hold: counts are exact.
SLABS = r"""
for s in /sys/kernel/slab/procshare*; do
    [ -d $s ] || continue
    echo 1 >$s/shrink
    read objects rest <$s/objects
    echo "slab ${s##*/} $objects"
done
"""
# Kernel threads are children of process 2; what belongs to the probe has its session. Caches that are in use just now,
# because some program runs, count as free: they are not dropped.
EVERYTHING = SLABS + r"""
ps -eo sid=,ppid=,pid=,args= | awk -v me=$$ '$1 != me && $2 != 2 && $3 != 2 { $1 = $2 = $3 = ""; print "process" $0 }'
sed -n 's/^TCP: inuse \([0-9]*\).*/tcp \1/p' /proc/net/sockstat
echo 3 >/proc/sys/vm/drop_caches
awk '/^(MemFree|Buffers|Cached|SReclaimable):/ { free += $2 } /^Shmem:/ { free -= $2 } END { print "free", free }' /proc/meminfo
"""


@dataclass(frozen=True)
class Holdings:
    """One node's."""

    processes: tuple[str, ...]
    tcp: int
    slabs: dict[str, int]
    free_kib: int

    @staticmethod
    def parse(text: str) -> Holdings:
        processes, slabs, numbers = [], {}, {"tcp": 0, "free": 0}
        for line in text.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "process":
                processes.append(rest.strip())
            elif kind == "slab":
                name, objects = rest.split()
                slabs[name] = int(objects)
            else:
                numbers[kind] = int(rest)
        return Holdings(tuple(sorted(processes)), numbers["tcp"], slabs, numbers["free"])

    def more_than(self, before: Holdings, slack_kib: int) -> list[str]:
        found = [f"process left: {p}" for p in self.processes if self.processes.count(p) > before.processes.count(p)]
        if self.tcp > before.tcp:
            found.append(f"TCP sockets: {before.tcp} -> {self.tcp}")
        for name, objects in self.slabs.items():
            if objects > before.slabs.get(name, 0):
                found.append(f"slab {name}: {before.slabs.get(name, 0)} -> {objects} objects")
        if self.free_kib < before.free_kib - slack_kib:
            found.append(f"free memory: {before.free_kib} -> {self.free_kib} KiB")
        return found


@dataclass(frozen=True)
class Snapshot:
    """All live nodes' holdings at one moment."""

    cluster: object
    probe: str
    holdings: dict[int, Holdings]

    @staticmethod
    def take(cluster, probe: str) -> Snapshot:
        jobs = {n: cluster.start(probe, n, cwd="/") for n in cluster.live_nodes()}
        return Snapshot(cluster, probe, {n: Holdings.parse(job.wait(60).stdout) for n, job in jobs.items()})

    def leaked_since(self, settle: float = 10, slack_kib: int = 16384) -> list[str]:
        """What there is more of now than in this snapshot; waits up to settle seconds for it to go away."""
        deadline = time.monotonic() + settle
        while True:
            now = Snapshot.take(self.cluster, self.probe)
            found = [
                f"node{n}: {leak}"
                for n, held in now.holdings.items()
                for leak in held.more_than(self.holdings[n], slack_kib)
            ]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.5)
