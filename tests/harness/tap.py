"""Reading TAP and KTAP, the formats in which kernel tests report."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^(?P<indent> *)(?P<verdict>ok|not ok) (?P<number>\d+)(?: -)? ?(?P<name>[^#]*)(?:# *(?P<note>.*))?$")
STAMP = re.compile(r"^\[ *\d+\.\d+\] ?")


@dataclass
class Counts:
    """How a suite did; failures holds the names of what failed."""

    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, verdict: str, name: str) -> None:
        if verdict == "passed":
            self.passed += 1
        elif verdict == "skipped":
            self.skipped += 1
        else:
            self.failures.append(name)

    def merge(self, other: Counts) -> None:
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures

    def __str__(self) -> str:
        line = f"{self.passed} passed, {len(self.failures)} failed"
        return f"{line}, {self.skipped} skipped" if self.skipped else line


def parse(text: str, depth: int = 0, prefix: str = "") -> Counts:
    """Counts the results at one depth of nesting: 0 for plain TAP, 1 for the cases of KUnit suites."""
    counts = Counts()
    for line in text.splitlines():
        result = RESULT.match(STAMP.sub("", line.rstrip("\r")))
        if not result or len(result["indent"]) != 4 * depth:
            continue
        verdict = "passed" if result["verdict"] == "ok" else "failed"
        if (result["note"] or "").upper().startswith("SKIP"):
            verdict = "skipped"
        counts.add(verdict, prefix + result["name"].strip())
    return counts


def planned(text: str) -> int | None:
    """How many results plain TAP announces; fewer mean that the test died on the way."""
    plan = re.search(r"^1\.\.(\d+)", text, re.MULTILINE)
    return int(plan[1]) if plan else None
