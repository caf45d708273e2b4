"""Files that are mapped privately: right whatever is guessed, and asked for as earlier processes have used them."""
# SPDX-License-Identifier: GPL-2.0-only

import re

import pytest
from harness.tracing import COHERENCE, Tracing
from sharing import PROGRAMS

LIBRARY = str(PROGRAMS / "library")
PARTS = ("read", "write", "islands")
FAULT = re.compile(r"library-(\d+) .*: procshare_(fault|coherence_send): .*?address=(\S+) (?:type=(\w+))?")


@pytest.fixture
def file(sharing):
    path = "/tmp/library-file"
    sharing.native([LIBRARY, "make", path], check=True)
    yield path
    sharing.native(["rm", path], check=True)


@pytest.mark.parametrize("policy", ("away", "bounce:10"))
def test_guesses_do_no_harm(sharing, file, policy):
    """Each use of the file is guessed from the ones before: to be read, to be written, and with other things between."""
    for part in PARTS * 2:
        outcome = sharing.run([LIBRARY, part, file], policy)
        assert (outcome.returncode, outcome.stdout) == (0, f"{part}: right\n"), outcome.stderr


def requests(trace: str) -> int:
    """Faults of the program that had to ask for their page."""
    faulted = {}
    asked = 0
    for thread, event, address, kind in FAULT.findall(trace):
        if event == "fault":
            faulted[thread] = address
        elif kind == "GET" and faulted.get(thread) == address:
            asked += 1
    return asked


@pytest.mark.parametrize("part", ("read", "write"))
def test_earlier_use_is_remembered(sharing, file, part):
    def traced() -> int:
        tracing = Tracing(sharing.cluster, COHERENCE)
        tracing.start()
        outcome = sharing.run([LIBRARY, part, file], "away", nodes="1")
        trace = tracing.stop()[1]
        assert outcome.returncode == 0, outcome.stderr
        return requests(trace)

    first = traced()
    later = [traced() for _ in range(3)]
    sharing.note(f"faults that asked for their page: {first}, then {later}")
    assert first > 48
    assert max(later) < first * 2 / 3
