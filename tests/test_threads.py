"""Threads that wait for each other, make each other, and end, wherever they are."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES, PROGRAMS

SYNC = ("mutex", "pi-mutex", "robust-mutex", "cond", "barrier", "rwlock", "sem", "spin", "futex")
TREE = ("grow", "chain", "own", "cancel", "ids")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", SYNC)
def test_threads_wait_for_each_other(sharing, part, policy):
    sharing.part("sync", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", TREE)
def test_threads_make_threads(sharing, part, policy):
    sharing.part("tree", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part, status, said", [("exit", 4, ""), ("orphan", 3, "orphan: right\n")])
def test_process_ends_with_its_threads(sharing, part, status, said, policy):
    outcome = sharing.run([f"{PROGRAMS}/tree", part], policy)
    assert (outcome.returncode, outcome.stdout) == (status, said), outcome.stderr


@pytest.mark.parametrize("policy", POLICIES)
def test_same_result_as_natively(sharing, policy):
    command = [f"{PROGRAMS}/threads", "4", "8"]
    native = sharing.native(command, check=True)
    outcome = sharing.run(command, policy)
    assert (outcome.returncode, outcome.stdout) == (0, native.stdout), outcome.stderr
