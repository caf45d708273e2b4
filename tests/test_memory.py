"""Private memory of every kind, written and read by threads on different nodes, and mappings that change under them."""
# SPDX-License-Identifier: GPL-2.0-only

import pytest
from sharing import POLICIES

MEMORY = (
    "text", "data", "bss", "heap", "stack", "tls", "mmap", "file", "relro", "jit", "growth", "limit", "sharing", "border", "calls",
)  # fmt: skip
MAPPINGS = (
    "munmap", "mprotect", "mremap", "brk", "truncate", "dontneed", "dontneed-written", "map-over", "move-over", "realign", "free",
)  # fmt: skip
COMPUTE = ("compute", "compute-closed", "compute-open", "compute-file", "compute-family")
SHARED = ("changes", "fork", "fork-exec", "twice", "grow", "closed", *COMPUTE)
OBJECTS = (
    "descriptor", "linked", "partial", "holes", "pipe", "readonly", "beside", "outlives", "killed", "segment", "storm", "family",
)  # fmt: skip

READONLY = ("rewritten", "open", "truncated", "nonblocking", "order", "inherited", "executable", "compute")
KEYS = ("rights", "threads", "calls", "changed", "executable", "family", "compute")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", MEMORY)
def test_memory_is_the_same_everywhere(sharing, part, policy):
    sharing.part("memory", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", MAPPINGS)
def test_what_home_changes_is_changed_everywhere(sharing, part, policy):
    sharing.part("mappings", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", SHARED)
def test_shared_memory_is_the_same_for_all_who_map_it(sharing, part, policy):
    sharing.part("shared", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", OBJECTS)
def test_shared_memory_is_the_same_beside_its_mapping(sharing, part, policy):
    sharing.part("objects", part, policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", READONLY)
def test_files_that_are_only_read_follow_their_writers(sharing, part, policy):
    sharing.part("readonly", part, policy)


@pytest.mark.parametrize("part", COMPUTE)
def test_shared_memory_does_not_keep_anybody_at_home(sharing, part):
    outcome = sharing.part("shared", part, "away")
    assert outcome.remote_share >= 0.9 and not outcome.reasons.get("memory"), outcome.verdict()


@pytest.mark.parametrize("part", ["executable", "compute"])
def test_files_that_are_only_read_do_not_keep_anybody_at_home(sharing, part):
    outcome = sharing.part("readonly", part, "away")
    assert outcome.remote_share >= 0.9 and not outcome.reasons.get("memory"), outcome.verdict()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("part", KEYS)
def test_protection_keys_hold_everywhere(sharing, part, policy):
    sharing.part("keys", part, policy)


def test_protection_keys_do_not_keep_anybody_at_home(sharing):
    outcome = sharing.part("keys", "compute", "away")
    assert outcome.remote_share >= 0.9, outcome.verdict()


@pytest.mark.quick
def test_memory_is_the_same_for_an_ordinary_user(sharing):
    outcome = sharing.cluster.run(
        ["procshare", "run", "--policy", "away", "--stats", "-j", "--", "sh", "-c", "id -un; echo $((6 * 7))"],
        user="nobody", cwd="/tmp",
    )  # fmt: skip
    assert (outcome.returncode, outcome.stdout) == (0, "nobody\n42\n"), outcome.stderr
