"""A page that is taken away leaves the CPU its other translations, though a kernel thread takes it."""
# SPDX-License-Identifier: GPL-2.0-only

import re

import pytest
from harness.tracing import TRACING

TURNS = 300
ENABLE = f"cd {TRACING} && echo 8192 >buffer_size_kb && echo 1 >events/tlb/tlb_flush/enable"
# One that the scheduler did since the address space was out of date, and one of a single page.
WHOLE = re.compile(r"^ *(?:procshare/|procshare-).* tlb_flush: pages:-1 ", re.MULTILINE)
SINGLE = re.compile(r"^ *(?:procshare/|kworker/).* tlb_flush: pages:1 ", re.MULTILINE)


@pytest.mark.parametrize("node", (0, 1))
def test_single_pages_are_flushed_as_such(make_cluster, node):
    """The benchmark's threads write a page in turn; each turn takes it away from both nodes, one after the other."""
    cluster = make_cluster(nodes=2)
    cluster.run(ENABLE, node, cwd="/", check=True)
    cluster.run(f"procshare bench ping-pong -c {TURNS}", 0, cwd="/", timeout=200, check=True)
    trace = cluster.run(f"cat {TRACING}/trace", node, cwd="/", check=True).stdout
    single, whole = len(SINGLE.findall(trace)), len(WHOLE.findall(trace))
    assert single > TURNS / 2, f"{single} flushes of a page"
    assert whole < TURNS / 4, f"{whole} flushes of everything"
