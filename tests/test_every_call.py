"""Every system call that is forwarded is seen executed for a thread that is away, and comes to what it comes to natively."""
# SPDX-License-Identifier: GPL-2.0-only

import re

import pytest
from harness.paths import ROOT
from harness.tracing import Tracing
from sharing import HOME, PROGRAMS

TABLE = ROOT / "Documentation/system-calls.md"
FORWARDED = re.compile(r"^\| (\d+) \| \w+ \| forward \|$", re.MULTILINE)


@pytest.mark.parametrize("low, high", ((0, 80), (80, 160), (160, 260), (260, 340), (424, 464)))
def test_every_call_is_made_at_home(sharing, low, high):
    command = [str(PROGRAMS / "calls"), str(low), str(high)]
    native = sharing.native(command)
    tracing = Tracing(sharing.cluster, ("call",), kilobytes=4096)
    tracing.start()
    shared = sharing.run(command, "away")
    seen = {int(nr) for nr in re.findall(r" nr=(\d+)", tracing.stop()[HOME])}
    assert native.returncode == shared.returncode == 0, native.stderr + shared.stderr
    assert shared.stdout.splitlines() == native.stdout.splitlines()
    forwarded = {int(nr) for nr in FORWARDED.findall(TABLE.read_text()) if low <= int(nr) < high}
    assert forwarded and forwarded - seen == set()
