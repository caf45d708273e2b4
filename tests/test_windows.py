"""Pages asked for ahead of a thread: what is not its own it does not take again and again."""
# SPDX-License-Identifier: GPL-2.0-only

from sharing import PROGRAMS

ROUNDS = 20
PAGES = 256  # of both threads: each is written by one and read by the other, once a round
SLACK = 1.1  # the barrier's page, the first round, what is learnt


def test_neighbours_keep_what_they_write(share, make_cluster):
    sharing = share(make_cluster(nodes=2))
    outcome = sharing.run([str(PROGRAMS / "halves"), str(ROUNDS)], "spread")
    assert outcome.stdout == "halves: right\n" and outcome.returncode == 0, outcome.stderr
    moved = sum(node["pages_in"] for node in outcome.stats["nodes"])
    sharing.note(f"{moved} pages moved, {ROUNDS * PAGES} had to")
    assert ROUNDS * PAGES * 0.9 < moved < ROUNDS * PAGES * SLACK
