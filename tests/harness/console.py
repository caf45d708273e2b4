"""A node's console log, and what in it means that the kernel is unwell."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import re
from pathlib import Path

SPLAT = re.compile(
    r"\bWARNING: |\bBUG: |\bBUG [\w.-]+ \(|\bOops\b|Kernel panic|KASAN: |UBSAN: |ODEBUG: |refcount_t: |"
    r"general protection fault|double fault|kernel stack overflow|"
    r"possible (circular|recursive) locking|lock inversion dependency|inconsistent lock state|"
    r"suspicious RCU usage|INFO: task .* blocked|rcu.*(detected stall|self-detected|kthread starved)|"
    r"page_table_check|Bad page|Bad rss-counter|non-zero pgtables_bytes|unreferenced object|list_(add|del) corruption|"
    r"slab .*(still has objects|Objects remaining)"
)
# The panic that ends every node: process 1 leaves when the host closes its channel.
EXPECTED = re.compile(r"Attempted to kill init")


class Console:
    """The log that QEMU writes a node's serial port into."""

    def __init__(self, path: Path):
        self.path = path
        self._scanned = 0
        path.write_bytes(b"")

    def text(self) -> str:
        return self.path.read_text(errors="replace")

    def last_words(self) -> str:
        """The line that says why it panicked and the one before, else the last line."""
        lines = self.text().splitlines()
        panics = [i for i, line in enumerate(lines) if "Kernel panic" in line]
        return "\n".join(lines[max(0, panics[0] - 1) : panics[0] + 1] if panics else lines[-1:])

    def new_splats(self) -> list[str]:
        """Lines since the last call that report a kernel problem."""
        with self.path.open("rb") as log:
            log.seek(self._scanned)
            fresh = log.read()
        # An unfinished last line is looked at again when it is whole.
        fresh = fresh[: fresh.rfind(b"\n") + 1]
        self._scanned += len(fresh)
        lines = fresh.decode(errors="replace").splitlines()
        return [line for line in lines if SPLAT.search(line) and not EXPECTED.search(line)]
