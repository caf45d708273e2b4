"""A page that is taken away leaves the CPU its other translations, though a kernel thread takes it."""
# SPDX-License-Identifier: GPL-2.0-only

import re

from harness.tracing import Tracing

TURNS = 300
# One that the scheduler did since the address space was out of date, and one of a single page.
WHOLE = re.compile(r"^ *(?:procshare/|procshare-).* tlb_flush: pages:-1 ", re.MULTILINE)
SINGLE = re.compile(r"^ *(?:procshare/|kworker/).* tlb_flush: pages:1 ", re.MULTILINE)


def test_single_pages_are_flushed_as_such(make_cluster):
    """The benchmark's threads write a page in turn; each turn takes it away from both nodes, one after the other."""
    cluster = make_cluster(nodes=2)
    tracing = Tracing(cluster, ("tlb/tlb_flush",), kilobytes=8192)
    tracing.start()
    cluster.run(f"procshare bench ping-pong -c {TURNS}", 0, cwd="/", timeout=200, check=True)
    for node, trace in tracing.stop().items():
        single = list(SINGLE.finditer(trace))
        assert len(single) > TURNS / 2, f"node {node}: {len(single)} flushes of a page"
        # Before the first turn and behind the last one a static key is switched, which flushes once for each place.
        whole = len(WHOLE.findall(trace, single[0].start(), single[-1].end()))
        assert whole < TURNS / 4, f"node {node}: {whole} flushes of everything"
