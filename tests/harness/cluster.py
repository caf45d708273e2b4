"""A cluster of QEMU nodes: booting, joining, running commands, and making trouble."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import leaks, paths, users
from .accel import choose_accel
from .errors import KernelSplat
from .job import Job, Result
from .join import join_all
from .link import shape
from .network import make_network
from .node import Machine, Node


class Cluster:
    """Context manager; node 0 is where run() runs unless told otherwise.

    Enter it on a thread that outlives it: the nodes end with the thread that started them.
    """

    def __init__(
        self,
        nodes: int = 3,
        cpus: int = 1,
        mem: str = "1G",
        shares: tuple[str | Path, ...] = (),
        link: str | None = None,
        kernel: str | Path | None = None,
        append: str = "",
        accel: str | None = None,
        join: bool = True,
        boot_timeout: float = 120,
    ):
        image = paths.kernel_image(kernel)
        self.machine = Machine(
            nodes=nodes, cpus=cpus, memory=mem, shares=tuple(Path(s).resolve() for s in shares),
            image=image, accel=accel or choose_accel(image), append=append,
        )  # fmt: skip
        self.nodes: list[Node] = []
        self._link = link
        self._join = join
        self._boot_timeout = boot_timeout
        self._network = None
        self.logs: Path | None = None

    def __enter__(self) -> Cluster:
        logs = paths.BUILD / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = Path(tempfile.mkdtemp(prefix=time.strftime("cluster-%H%M%S-"), dir=logs))
        try:
            self._boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, value, traceback) -> None:
        try:
            if kind is None:
                self.check()
        finally:
            self.close()

    def _boot(self) -> None:
        self._network = make_network(self.machine.nodes)
        for number in range(self.machine.nodes):
            self.nodes.append(Node(number, self.machine, self._network, self.logs / f"node{number}.log"))
        for node in self.nodes:
            node.wait_ready(self._boot_timeout)
        if self._link:
            shape(self, self._link)
        if self._join:
            join_all(self)
        self.check()

    def close(self) -> None:
        for node in self.nodes:
            if not node.stopped:
                node.stop()
        if self._network:
            self._network.close()
            self._network = None

    # Running commands.

    def start(
        self,
        command: str | list[str],
        node: int = 0,
        *,
        stdin: bytes | str = b"",
        cwd: str | Path | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        tty: bool = False,
        on_output: Callable[[int, bytes], None] | None = None,
    ) -> Job:
        """Start a shell command line (a string) or a program (a list) and return its handle."""
        argv = users.as_user(command, user) if user else command
        environment = {**users.environment(user), **(env or {})}
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return self.nodes[node].agent.start(argv, str(cwd or os.getcwd()), environment, data, tty, on_output)

    def run(
        self, command: str | list[str], node: int = 0, *, timeout: float = 120, check: bool = False, **options
    ) -> Result:
        """Run to the end; a kernel splat on any node raises, a failing command only with check."""
        job = self.start(command, node, **options)
        try:
            return job.wait(timeout, check)
        finally:
            self.check()

    def end_jobs(self) -> None:
        """Kill what start() started and nobody waited for."""
        for node in self.nodes:
            if not node.stopped:
                node.agent.end_jobs()

    # Making trouble.

    def kill(self, node: int) -> None:
        """The power fails: the node is gone at once and stays away."""
        self.nodes[node].stop()

    def pause(self, node: int) -> None:
        """All its processors stop, its clock with them."""
        self.nodes[node].qmp.command("stop")

    def resume(self, node: int) -> None:
        self.nodes[node].qmp.command("cont")

    def cut(self, node: int) -> None:
        """Nothing gets to the node or from it any more; it keeps running."""
        self._network.cut(node)

    def mend(self, node: int) -> None:
        self._network.mend(node)

    # Looking for damage.

    def console(self, node: int) -> str:
        return self.nodes[node].console.text()

    def check(self) -> None:
        """Raise when a kernel complained or a node died since the last check."""
        splats = [
            f"node{node.number}: {line} (console in {node.console.path})"
            for node in self.nodes
            if not node.stopped
            for line in node.console.new_splats()
        ]
        if splats:
            raise KernelSplat("\n".join(splats))
        for node in self.nodes:
            node.check()

    def leaks(self, probe: str = leaks.EVERYTHING) -> leaks.Snapshot:
        """What every live node holds now; compare two with its method leaked_since()."""
        return leaks.Snapshot.take(self, probe)

    def live_nodes(self) -> list[int]:
        return [node.number for node in self.nodes if not node.stopped]
