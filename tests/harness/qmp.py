"""QEMU's machine protocol, as much of it as stopping and quitting needs."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import json
import socket

from .errors import ClusterError


class Qmp:
    """One connection; commands are answered in turn, events in between are dropped."""

    def __init__(self, channel: socket.socket):
        channel.settimeout(30)
        self._channel = channel
        self._lines = channel.makefile("rb")
        self._greeted = False

    def command(self, name: str, **arguments) -> dict:
        if not self._greeted:
            self._greeted = True
            self._lines.readline()
            self.command("qmp_capabilities")
        request = {"execute": name, "arguments": arguments}
        self._channel.sendall(json.dumps(request).encode() + b"\n")
        while line := self._lines.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise ClusterError(f"QEMU refuses {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise ClusterError(f"QEMU closed its control channel during {name}")

    def close(self) -> None:
        self._lines.close()
        self._channel.close()
