"""The host's end of a node's agent channel: starts jobs, routes what they say. The other end is node/agent.c."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import itertools
import shlex
import signal
import socket
import struct
import threading
from collections.abc import Callable

from .job import Job

FRAME = struct.Struct("<III")


class Agent:
    """Commands on one node."""

    def __init__(self, node, channel: socket.socket):
        self.node = node
        self._channel = channel
        self._numbers = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._lock = threading.Lock()
        self.ready = threading.Event()
        self.closed = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def start(
        self,
        command: str | list[str],
        cwd: str,
        environment: dict[str, str],
        stdin: bytes = b"",
        tty: bool = False,
        on_output: Callable[[int, bytes], None] | None = None,
    ) -> Job:
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        label = f"node{self.node.number}: {shlex.join(argv) if argv[0] != '/bin/sh' else argv[-1]}"
        job = Job(self, next(self._numbers), label, on_output)
        self._jobs[job.number] = job
        strings = [cwd, *argv, *(f"{name}={value}" for name, value in environment.items())]
        payload = struct.pack("<IIII", tty, len(argv), len(environment), len(stdin))
        payload += b"".join(s.encode() + b"\0" for s in strings) + stdin
        self._send(job.number, "R", payload)
        return job

    def signal(self, job: int, number: int, whole_group: bool) -> None:
        self._send(job, "S", struct.pack("<II", number, whole_group))

    def type(self, job: int, data: bytes) -> None:
        self._send(job, "I", data)

    def end_jobs(self) -> None:
        jobs = list(self._jobs.values())
        for job in jobs:
            self.signal(job.number, signal.SIGKILL, whole_group=True)
        for job in jobs:
            job.wait(30)

    def close(self) -> None:
        self._channel.close()

    def _send(self, job: int, kind: str, payload: bytes) -> None:
        try:
            with self._lock:
                self._channel.sendall(FRAME.pack(len(payload), job, ord(kind)) + payload)
        except OSError:
            self.node.check()
            raise

    def _read(self) -> None:
        try:
            while frame := self._receive(FRAME.size):
                length, job, kind = FRAME.unpack(frame)
                self._dispatch(job, chr(kind), self._receive(length))
        except OSError:
            pass  # the node was taken away
        self.closed.set()
        for job in self._jobs.values():
            job.ended(None)

    def _dispatch(self, number: int, kind: str, payload: bytes) -> None:
        if kind == "H":
            self.ready.set()
        elif kind == "P":
            self._jobs[number].started(struct.unpack("<I", payload)[0])
        elif kind in "OE":
            self._jobs[number].output(1 if kind == "O" else 2, payload)
        elif kind == "X":
            self._jobs.pop(number).ended(struct.unpack("<i", payload)[0])

    def _receive(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            chunk = self._channel.recv(min(length - len(data), 1 << 16))
            if not chunk:
                return b""
            data += chunk
        return bytes(data)
