"""Calls whose data travel inside the messages, small reads and writes and the status of files, are those of one machine."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("files", "pipes", "sockets", "faults", "signals", "homebound"))
def test_small_transfers(sharing, part, policy):
    sharing.part("carried", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("same", "errors", "buffers"))
def test_status_of_files(sharing, part, policy):
    sharing.part("status", part, policy)


def test_status_moves_no_pages(sharing):
    """2,000 times, path and result on the caller's stack: what is moved is the program."""
    outcome = sharing.part("status", "often", "away")
    assert sum(node["pages_in"] for node in outcome.stats["nodes"]) < 1500, outcome.stats
