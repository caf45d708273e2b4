"""Recording the kernel's trace events on all nodes of a cluster; what was lost is an error, not a gap."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import re

from .cluster import Cluster
from .errors import ClusterError

TRACING = "/sys/kernel/tracing"
# What procshare-sim needs.
COHERENCE = ("fault", "fault_end", "coherence_send", "coherence_receive")
KILOBYTES = 32 << 10  # of each processor's buffer; an event takes less than 100 bytes
START = """set -e
cd {tracing}
echo 0 >tracing_on
echo mono >trace_clock
echo {kilobytes} >buffer_size_kb
echo >trace
for e in {events}; do echo 1 >events/$e/enable; done
echo 1 >tracing_on
"""
STOP = "cd {tracing} && echo 0 >tracing_on && echo 0 >events/enable && cat per_cpu/cpu*/stats"
# Reading empties nothing: the buffers are given back afterwards.
READ = "cd {tracing} && cat trace && echo >trace && echo 8 >buffer_size_kb"
LOST = re.compile(r"(overrun|commit overrun|dropped events): ([1-9]\d*)")


class Tracing:
    """Records from start() to stop(): procshare's events by their short names, others as group/event."""

    def __init__(self, cluster: Cluster, events: tuple[str, ...] = COHERENCE, kilobytes: int = KILOBYTES):
        self._cluster = cluster
        paths = (event if "/" in event else f"procshare/procshare_{event}" for event in events)
        self._start = START.format(tracing=TRACING, kilobytes=kilobytes, events=" ".join(paths))

    def start(self) -> None:
        self._everywhere(self._start)

    def stop(self) -> dict[int, str]:
        """Each node's events as text, the oldest first; raises when a node could not keep them all."""
        stats = self._everywhere(STOP.format(tracing=TRACING))
        texts = self._everywhere(READ.format(tracing=TRACING))
        for node, text in stats.items():
            if lost := LOST.search(text):
                raise ClusterError(f"node {node} lost {lost[2]} trace events or more: record with larger buffers")
        return texts

    def _everywhere(self, command: str) -> dict[int, str]:
        jobs = {node: self._cluster.start(command, node, cwd="/") for node in self._cluster.live_nodes()}
        return {node: job.wait(300, check=True).stdout for node, job in jobs.items()}
