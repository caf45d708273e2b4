"""Under policy away, threads that take turns at pages come to one node; others stay where they are."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest


@pytest.mark.parametrize("part", ("together", "again", "compute", "pinned"))
def test_come_together_where_that_is_better(sharing, part):
    outcome = sharing.part("turns", part, "away")
    assert ("asked" in outcome.reasons) == (part in ("together", "again"))
    assert outcome.remote_share > 0.9


def test_stay_where_they_were_spread(sharing):
    """Whoever wants threads on all nodes has them there, whatever that costs."""
    sharing.part("turns", "keep", "spread")
