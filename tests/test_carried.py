"""Small reads and writes, whose data travel inside the messages, are those of one machine."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("files", "pipes", "sockets", "faults", "signals", "homebound"))
def test_small_transfers(sharing, part, policy):
    sharing.part("carried", part, policy)
