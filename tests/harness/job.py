"""A command running on a node, and what it left when it ended."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import CommandFailed


@dataclass(frozen=True)
class Result:
    """How a command ended; returncode is negative for a signal, as subprocess has it."""

    stdout: str
    stderr: str
    returncode: int
    seconds: float


class Job:
    """Handle of a running command, in the manner of subprocess.Popen."""

    def __init__(self, agent, number: int, label: str, on_output: Callable[[int, bytes], None] | None):
        self._agent = agent
        self._on_output = on_output
        self._started = threading.Event()
        self._ended = threading.Event()
        self._chunks: dict[int, list[bytes]] = {1: [], 2: []}
        self._begin = self._end = time.monotonic()
        self.number = number
        self.label = label
        self.pid: int | None = None
        self.returncode: int | None = None

    # What the agent's reader thread reports.

    def started(self, pid: int) -> None:
        self.pid = pid
        self._started.set()

    def output(self, stream: int, data: bytes) -> None:
        if self._on_output:
            self._on_output(stream, data)
        else:
            self._chunks[stream].append(data)

    def ended(self, status: int | None) -> None:
        """The command's wait status, or None when its node died under it."""
        self._end = time.monotonic()
        self.returncode = None if status is None else os.waitstatus_to_exitcode(status)
        self._started.set()
        self._ended.set()

    # What callers do.

    def wait_started(self, timeout: float = 60) -> int:
        """The pid on the node."""
        if not self._started.wait(timeout) or self.pid is None:
            raise CommandFailed(f"{self.label}: did not start")
        return self.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs; raises when the node died."""
        self._agent.node.check()
        return self.returncode

    def wait(self, timeout: float | None = None, check: bool = False) -> Result:
        """Wait for the end; kill it and raise TimeoutError when that takes too long."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ended.wait(0.2):
            self._agent.node.check()
            if deadline is not None and time.monotonic() > deadline:
                self.send_signal(signal.SIGKILL, whole_group=True)
                raise TimeoutError(f"{self.label}: not done after {timeout} s; output so far:\n{self._tail()}")
        self._agent.node.check()
        if self.returncode is None:
            raise CommandFailed(f"{self.label}: its node was taken away")
        if check and self.returncode:
            raise CommandFailed(f"{self.label}: exit status {self.returncode}\n{self._tail()}")
        return Result(self.stdout, self.stderr, self.returncode, self._end - self._begin)

    def send_signal(self, number: int, whole_group: bool = False) -> None:
        self._agent.signal(self.number, number, whole_group)

    def type(self, data: bytes) -> None:
        """Input for a command that runs on a terminal."""
        self._agent.type(self.number, data)

    @property
    def stdout(self) -> str:
        return b"".join(self._chunks[1]).decode(errors="replace")

    @property
    def stderr(self) -> str:
        return b"".join(self._chunks[2]).decode(errors="replace")

    def _tail(self, length: int = 4000) -> str:
        return (self.stdout + self.stderr)[-length:]
