"""fork, and changes of mappings, where other nodes have thousands of pages: right, and not page by page."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES


@pytest.mark.parametrize("policy", POLICIES)
def test_fork_while_others_write(sharing, policy):
    sharing.part("ranges", "fork", policy)


@pytest.mark.parametrize("part", ("mprotect", "mremap", "munmap", "dontneed"))
def test_a_large_range_changes(sharing, part):
    sharing.part("ranges", part, "spread")
