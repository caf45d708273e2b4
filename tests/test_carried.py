"""Calls whose data travel inside the messages, small reads and writes and questions with a short answer, are those of one machine."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("files", "pipes", "sockets", "faults", "signals", "homebound"))
def test_small_transfers(sharing, part, policy):
    sharing.part("carried", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("status", "errors", "buffers", "opens", "handlers", "masks"))
def test_questions_and_answers(sharing, part, policy):
    sharing.part("answers", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("lengths", "edges", "channels", "work", "copy"))
def test_long_transfers(sharing, part, policy):
    sharing.part("bulk", part, policy)


def test_status_moves_no_pages(sharing):
    """2,000 times, path and result on the caller's stack: what is moved is the program."""
    outcome = sharing.part("answers", "often", "away")
    assert sum(node["pages_in"] for node in outcome.stats["nodes"]) < 1500, outcome.stats


@pytest.mark.parametrize("part", ("work", "copy"))
def test_long_transfers_move_no_pages(sharing, part):
    """4 MiB in pieces of 64 KiB, three times: the buffer stays where the program uses it, or at home if it does not."""
    outcome = sharing.part("bulk", part, "away")
    pages = sum(node["pages_in"] for node in outcome.stats["nodes"])
    sharing.note(f"{pages} pages")
    assert pages < 1000, outcome.stats


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("terminals", "addresses", "names", "children", "times", "locks"))
def test_pointers(sharing, part, policy):
    sharing.part("arguments", part, policy)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("events", "sets", "stops", "crowd", "taken"))
def test_waiting_for_several(sharing, part, policy):
    outcome = sharing.part("waiting", part, policy, timeout=500)
    assert part != "taken" or policy != "away" or "no area" not in outcome.stdout, "no call has used scratch memory"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("files", "pipes", "faults", "datagrams", "descriptors"))
def test_data_in_several_places(sharing, part, policy):
    sharing.part("vectors", part, policy)


@pytest.mark.parametrize("program", ("waiting", "vectors"))
def test_arrays_move_no_pages(sharing, program):
    """500 times epoll_wait, poll, nanosleep and readlink, or sending and receiving, with arrays on the caller's stack."""
    outcome = sharing.part(program, "often", "away")
    pages = sum(node["pages_in"] for node in outcome.stats["nodes"])
    sharing.note(f"{pages} pages")
    assert pages < 1000, outcome.stats


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", ("stores", "refusals", "gaps", "mask"))
def test_corners(sharing, part, policy):
    sharing.part("corners", part, policy)
