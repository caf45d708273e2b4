"""What has passed already of a long run that did not get to its end: of this very tree, and only of it."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

GIT = (("rev-parse", "HEAD"), ("diff", "HEAD"), ("status", "--porcelain"))


def fingerprint(root: Path) -> str:
    """Of all that git knows about the tree: any change begins anew."""
    said = [subprocess.run(["git", "-C", str(root), *args], capture_output=True, check=True).stdout for args in GIT]
    return hashlib.sha256(b"\0".join(said)).hexdigest()[:12]


class Record:
    """Whole suites by their counts, and for pytest's suites a file of test names that conftest.py reads and writes."""

    def __init__(self, root: Path, logs: Path):
        self._logs = logs
        self._print = fingerprint(root)
        self._path = logs / f"passed-{self._print}.json"
        self._suites = json.loads(self._path.read_text()) if self._path.exists() else {}

    def passed(self, suite: str) -> int | None:
        """How many tests a suite had when all of it passed; None if it has not."""
        return self._suites.get(suite)

    def add(self, suite: str, tests: int) -> None:
        self._suites[suite] = tests
        self._path.write_text(json.dumps(self._suites))

    def tests_of(self, suite: str) -> Path:
        return self._logs / f"passed-{self._print}-{suite}.txt"

    def clear(self) -> None:
        for path in self._logs.glob(f"passed-{self._print}*"):
            path.unlink()
