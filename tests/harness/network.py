"""The wires between the nodes: tap devices on a bridge in a nameless network namespace, else multicast sockets."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import os
import random
import subprocess

from .errors import ClusterError


class BridgeNetwork:
    """Lives in a namespace that vanishes with the processes in it: nothing to clean up, nothing the host can see."""

    def __init__(self, nodes: int):
        # Without root, a user namespace gives the right to make devices in a network namespace of its own.
        unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--user", "--map-root-user"]
        # The holder ends with its input, that is with us, however we end.
        self._holder = subprocess.Popen(
            [*unshare, "sh", "-c", "echo ready && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )
        try:
            if self._holder.stdout.readline() != b"ready\n":
                raise ClusterError(self._holder.stderr.read().decode().strip() or "unshare failed")
            self._ip("link add br0 type bridge forward_delay 0", "link set br0 up", "link set lo up")
            for node in range(nodes):
                self._ip(f"tuntap add tap{node} mode tap", f"link set tap{node} master br0 up")
        except ClusterError:
            self.close()
            raise

    def command_prefix(self) -> list[str]:
        """What runs a command inside the namespace."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self._holder.pid}", "--net", *user, "--"]

    def netdev(self, node: int) -> str:
        return f"tap,id=net0,ifname=tap{node},script=no,downscript=no"

    def cut(self, node: int) -> None:
        """Off the bridge: the node keeps its carrier, as when a cable farther away breaks."""
        self._ip(f"link set tap{node} nomaster")

    def mend(self, node: int) -> None:
        self._ip(f"link set tap{node} master br0")

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()
        for pipe in (self._holder.stdin, self._holder.stdout, self._holder.stderr):
            pipe.close()

    def _ip(self, *commands: str) -> None:
        done = subprocess.run(
            [*self.command_prefix(), "ip", "-batch", "-"], input="\n".join(commands), text=True, capture_output=True
        )
        if done.returncode:
            raise ClusterError(f"ip {commands}: {done.stderr.strip()}")


class SocketNetwork:
    """Needs no rights at all: QEMU's nodes meet on a multicast address of the loopback device. Slower."""

    def __init__(self):
        self._address = f"239.77.{random.randrange(256)}.{random.randrange(1, 255)}:{random.randrange(20000, 60000)}"

    def command_prefix(self) -> list[str]:
        return []

    def netdev(self, _node: int) -> str:
        return f"socket,id=net0,mcast={self._address},localaddr=127.0.0.1"

    def cut(self, _node: int) -> None:
        raise ClusterError("cutting a node off needs tap devices: run as root")

    mend = cut

    def close(self) -> None:
        """Nothing to give back."""


def make_network(nodes: int) -> BridgeNetwork | SocketNetwork:
    try:
        return BridgeNetwork(nodes)
    except (ClusterError, FileNotFoundError):
        return SocketNetwork()
