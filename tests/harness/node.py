"""One node: its QEMU process, its console and its agent."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .agent import Agent
from .console import Console
from .errors import ClusterError, NodeDied
from .qmp import Qmp

ROOT_FLAGS = "trans=virtio,version=9p2000.L,msize=512000,cache=mmap"


# The emulator repeats string instructions byte by byte: without them the kernel clears and copies words.
EMULATED_CPU = "max,-erms"


@dataclass(frozen=True)
class Machine:
    """What all nodes of a cluster have in common."""

    image: Path
    nodes: int = 3
    cpus: int = 1
    memory: str = "1G"
    shares: tuple[Path, ...] = ()
    accel: str = "tcg"
    append: str = ""

    def knows_procshare(self) -> bool:
        """Whether this kernel was configured with the feature; others boot, too, to compare with."""
        return "CONFIG_PROCSHARE=y\n" in (self.image.parents[3] / ".config").read_text()

    def kernel_arguments(self, number: int) -> str:
        # loglevel=5 keeps boot silent but, unlike quiet, lets warnings through: they must reach the log.
        # no5lvl: with five levels KASAN mistakes an interrupt during CPU identification for a wild access.
        words = [
            "console=ttyS0 panic=-1 loglevel=5 no5lvl ro root=root rootfstype=9p",
            f"rootflags={ROOT_FLAGS} init={paths.node_init()} node={number} nodes={self.nodes}",
        ]
        if self.shares:
            words.append("shares=" + ":".join(map(str, self.shares)))
        if self.accel != "kvm":
            words.append(f"tsc_early_khz={paths.tsc_khz()}")
        if "kunit.enable" not in self.append:
            words.append("kunit.enable=0")
        return " ".join([*words, self.append])

    def qemu_arguments(self, number: int) -> list[str]:
        arguments = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "q35",
            "-accel", "kvm" if self.accel == "kvm" else "tcg,thread=multi",
            "-cpu", "host" if self.accel == "kvm" else EMULATED_CPU,
            "-smp", str(self.cpus), "-m", self.memory,
            "-kernel", str(self.image), "-append", self.kernel_arguments(number),
            "-fsdev", "local,id=root,path=/,security_model=passthrough,readonly=on,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
        ]  # fmt: skip
        for i, share in enumerate(self.shares):
            arguments += ["-fsdev", f"local,id=share{i},path={share},security_model=passthrough,multidevs=remap"]
            arguments += ["-device", f"virtio-9p-pci,fsdev=share{i},mount_tag=share{i}"]
        return arguments


class Node:
    """A machine that runs from construction until stop()."""

    def __init__(self, number: int, machine: Machine, network, log: Path):
        self.number = number
        self.console = Console(log)
        self.stopped = False
        agent_here, agent_there = socket.socketpair()
        qmp_here, qmp_there = socket.socketpair()
        with agent_there, qmp_there:
            command = [
                *network.command_prefix(), "setpriv", "--pdeathsig=KILL", *machine.qemu_arguments(number),
                "-netdev", network.netdev(number),
                "-device", f"virtio-net-pci,netdev=net0,id=nic0,romfile=,mac=52:54:00:77:00:{number + 1:02x}",
                "-serial", f"file:{log}",
                "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=agent,fd={agent_there.fileno()}",
                "-device", "virtserialport,chardev=agent,name=agent",
                "-chardev", f"socket,id=qmp,fd={qmp_there.fileno()}", "-mon", "chardev=qmp,mode=control",
            ]  # fmt: skip
            self._errors = log.with_suffix(".qemu")
            with self._errors.open("wb") as errors:
                # A session of its own: Ctrl-C is for us, and we end the nodes.
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True,
                    pass_fds=(agent_there.fileno(), qmp_there.fileno()),
                )  # fmt: skip
        self.qmp = Qmp(qmp_here)
        self.agent = Agent(self, agent_here)

    def wait_ready(self, timeout: float) -> None:
        for _ in range(int(timeout * 10)):
            if self.agent.ready.wait(0.1):
                return
            self.check()
        raise ClusterError(f"node{self.number} did not boot within {timeout:.0f} s: see {self.console.path}")

    def check(self) -> None:
        """Raise NodeDied when QEMU ended without being told to."""
        if self.stopped or not (self.agent.closed.is_set() or self._process.poll() is not None):
            return
        last = self.console.last_words() or self._errors.read_text(errors="replace").strip()
        raise NodeDied(f"node{self.number} died, console in {self.console.path}:\n{last}")

    def cpu_seconds(self) -> float:
        """CPU time of this machine that the node has used since it was started, its devices included."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """As if the power had gone."""
        self.stopped = True
        self._process.kill()
        self._process.wait()
        self.agent.close()
        self.qmp.close()
