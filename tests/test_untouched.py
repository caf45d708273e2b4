"""Memory that nobody has touched: right wherever it is touched first, and granted in blocks."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES

PARTS = ("random", "pairs", "edges", "discarded", "forked")
PAGES = 2048  # that the program touches
ELSEWHERE = 800  # faults on its text, stack and so on, at most


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", PARTS)
def test_untouched_memory_is_zero_everywhere(sharing, part, policy):
    sharing.part("untouched", part, policy)


def test_pages_come_in_blocks(sharing):
    """Touched in no order, each of them read and then written: by far not each of them is a fault of its own."""
    outcome = sharing.part("untouched", "random", "away")
    nodes = outcome.stats["nodes"]
    faults = {kind: sum(node[f"fault_{kind}"] for node in nodes) for kind in ("read", "write", "upgrade")}
    sharing.note(f"{PAGES} pages, faults: {faults}")
    assert faults["read"] + faults["write"] < PAGES / 4 + ELSEWHERE
    assert faults["upgrade"] < ELSEWHERE
