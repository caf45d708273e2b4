"""Running programs shared over a cluster, natively beside it, and asking the nodes what happened where."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness import Cluster, Job, Result
from harness.leaks import SLABS
from harness.paths import BUILD

# Slower nodes, as those with a debugging kernel are, get so many times longer for everything.
SLOWNESS = float(os.environ.get("PROCSHARE_SLOWNESS", "1"))
POLICIES = ("spread", "away", "bounce:10")
HOME = 0
PROGRAMS = BUILD / "tests"
SHADOWS = "/sys/fs/cgroup/procshare"  # where the helper on a remote node puts itself
# What a shared process might leave behind on a node; memory is looked at by itself, that takes longer.
LEFTOVERS = SLABS + r"""
ps -eo sid=,ppid=,pid=,args= | awk -v me=$$ '$1 != me && $2 != 2 && $3 != 2 { $1 = $2 = $3 = ""; print "process" $0 }'
sed -n 's/^TCP: inuse \([0-9]*\).*/tcp \1/p' /proc/net/sockstat
"""
TASK_STATE = """for t in /proc/$p/task/*; do
    echo "$p/${t##*/} $(cut -d' ' -f2,3,14,15 $t/stat) $(cat $t/wchan) $(cut -d' ' -f1-2 $t/syscall)"; cat $t/stack; done"""
HOME_STATE = f"procshare ps; for p in $(procshare ps | awk 'NR > 1 {{ print $1 }}' | sort -u); do {TASK_STATE}; done 2>&1"
SHADOW_STATE = f"for p in $(cat {SHADOWS}/cgroup.procs); do {TASK_STATE}; done 2>&1"
numbers = itertools.count()


@dataclass(frozen=True)
class Outcome:
    """How a shared program ended, and where its user CPU time was burnt: by the nodes' cgroups, and by --stats."""

    stdout: str
    stderr: str
    returncode: int
    seconds: float
    policy: str
    stats: dict = field(repr=False)
    user: dict[int, float]

    @property
    def remote_share(self) -> float:
        total = sum(self.user.values())
        return 1 - self.user[HOME] / total if total else 0

    @property
    def reasons(self) -> dict[str, int]:
        return {reason: count for reason, count in self.stats["reasons"].items() if count}

    @property
    def arrivals(self) -> dict[int, int]:
        """How many threads came to each remote node."""
        return {node["node"]: node["arrivals"] for node in self.stats["nodes"] if node["node"] != HOME}

    def verdict(self) -> str:
        user = " + ".join(f"{seconds:.2f}" for seconds in self.user.values())
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.reasons.items()) or "never"
        return (
            f"{self.remote_share:.0%} of user CPU time remote ({user} s by node; "
            f"--stats {self.stats['remote_user_share']:.0%}), came home: {reasons}"
        )


def poll(what: str, condition: Callable, deadline: float = 30, interval: float = 0.1):
    """Wait until condition() is true and return its value; a test fails when that takes too long."""
    end = time.monotonic() + deadline * SLOWNESS
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not so after {deadline * SLOWNESS:g} s: {what}")
        time.sleep(interval)
    return value


class Sharing:
    """A cluster seen as a place to run shared programs in, with node 0 as home."""

    def __init__(self, cluster: Cluster, note: Callable[[str], None]):
        self.cluster = cluster
        self.note = note

    # Running.

    def native(self, command: str | list[str], **options) -> Result:
        """On the home node, not shared: what every policy has to reproduce."""
        return self.cluster.run(command, HOME, cwd="/tmp", **options)

    def run(self, command: str | list[str], policy: str, timeout: float = 120, nodes: str = "", **options) -> Outcome:
        """To the end; returncode is 128 + signal for a program that was killed, as a shell has it."""
        name = f"test{next(numbers)}"
        group = f"/sys/fs/cgroup/{name}"
        # The shared shell enters the group: what procshare itself costs before is not the program's.
        script = f"echo $$ >{group}/cgroup.procs && {command if isinstance(command, str) else 'exec ' + shlex.join(command)}"
        launch = ["procshare", "run", "--policy", policy, f"--stats=/run/{name}", "-j"]
        launch += ["--nodes", nodes] if nodes else []
        _, *before = self._accounts(f"mkdir {group}")
        result = self._wait(self.cluster.start([*launch, "--", "sh", "-c", script], HOME, cwd="/tmp", **options), timeout)
        outcome = self._outcome(result, policy, name, before)
        self.note(f"{policy}: {outcome.verdict()}")
        return outcome

    def _wait(self, job: Job, timeout: float) -> Result:
        """As Cluster.run(), but what does not end is looked at before it is killed."""
        try:
            poll(job.label, lambda: job.poll() is not None, timeout)
        except AssertionError as late:
            state = self.diagnosis()
            job.send_signal(signal.SIGKILL, whole_group=True)
            raise TimeoutError(f"{late}\n{job.stdout[-1000:]}{job.stderr[-1000:]}\n{state}") from None
        finally:
            self.cluster.check()
        return job.wait(10)

    def diagnosis(self) -> str:
        """What the nodes know about shared processes and what their threads wait for."""
        jobs = {"home": self.cluster.start(HOME_STATE, HOME, cwd="/")}
        jobs |= {f"node{n}": self.cluster.start(SHADOW_STATE, n, cwd="/") for n in self._remotes()}
        return "\n".join(f"{place}:\n{job.wait(60).stdout}" for place, job in jobs.items())

    def start(self, command: str | list[str], policy: str = "away", nodes: str = "", **options) -> Job:
        """In the background; the job's process is the program itself."""
        command = ["sh", "-c", command] if isinstance(command, str) else command
        choice = ["--nodes", nodes] if nodes else []
        return self.cluster.start(
            ["procshare", "run", "--policy", policy, *choice, "--", *command], HOME, cwd="/tmp", **options
        )

    def start_ready(self, command: list[str], policy: str, nodes: str = "", **options) -> tuple[Job, int]:
        """A program that says "ready" once it computes; returns when some of it does so elsewhere."""
        job = self.start(command, policy, nodes, **options)
        poll("the program is ready", lambda: "ready" in job.stdout or job.poll() is not None)
        pid = job.wait_started()
        wanted = {int(node) for node in nodes.split(",")} if nodes else set()
        poll("threads have left", lambda: (found := self.where(pid)) - {HOME} and wanted <= found)
        return job, pid

    def part(self, program: str, part: str, policy: str, *arguments: str, leaves: bool = True, **options) -> Outcome:
        """One part of a test program, which knows itself what is right; it must have been away, too."""
        outcome = self.run([str(PROGRAMS / program), part, *arguments], policy, **options)
        assert outcome.returncode == 0, f"status {outcome.returncode}: {outcome.stdout}{outcome.stderr}"
        assert outcome.stdout.splitlines()[-1:] == [f"{part}: right"]
        assert not leaves or sum(outcome.arrivals.values()) > 0, "no thread ever left home"
        return outcome

    def _outcome(self, result: Result, policy: str, name: str, before: list[str]) -> Outcome:
        group = f"/sys/fs/cgroup/{name}"
        text, *after = self._accounts(f"cat {group}/cpu.stat /run/{name}; rmdir {group}; rm -f /run/{name}")
        accounting, brace, stats = text.partition("{")
        assert brace, f"no statistics from procshare: {result.stderr}"
        remote = {node: user_seconds(now) - user_seconds(then) for node, now, then in zip(self._remotes(), after, before)}
        user = {HOME: user_seconds(accounting), **remote}
        return Outcome(
            result.stdout, result.stderr, result.returncode, result.seconds, policy, json.loads(brace + stats), user
        )

    def _remotes(self) -> list[int]:
        return [node for node in self.cluster.live_nodes() if node != HOME]

    def _accounts(self, at_home: str) -> list[str]:
        """What a command at home says, then what all shadow processes of each remote node used, ended ones too."""
        jobs = [self.cluster.start(at_home, HOME, cwd="/")]
        jobs += [self.cluster.start(f"cat {SHADOWS}/cpu.stat", node, cwd="/") for node in self._remotes()]
        return [job.wait(60).stdout for job in jobs]

    # Looking and moving.

    def processes(self) -> list[dict]:
        return json.loads(self.cluster.run("procshare ps -j", HOME, check=True, cwd="/").stdout)["processes"]

    def poll_processes(self, condition: Callable[[list[dict]], bool]) -> None:
        poll("procshare ps shows what it should", lambda: condition(self.processes()))

    def threads(self, pid: int) -> dict[int, int]:
        """Of one process, each thread's node."""
        for process in self.processes():
            if process["pid"] == pid:
                return {thread["tid"]: thread["node"] for thread in process["threads"]}
        return {}

    def where(self, pid: int) -> set[int]:
        return set(self.threads(pid).values())

    def migrate(self, target: int | str, node: int | str) -> Result:
        return self.cluster.run(["procshare", "migrate", str(target), str(node)], HOME, cwd="/")

    def move(self, pid: int, node: int) -> None:
        """All threads, and wait until they have arrived."""
        done = self.migrate(pid, "home" if node == HOME else node)
        assert done.returncode == 0, done.stderr
        poll(f"process {pid} is on node {node}", lambda: self.where(pid) == {node})

    def nodes(self, node: int = HOME) -> dict[int, dict]:
        listed = self.cluster.run("procshare node list -j", node, check=True, cwd="/").stdout
        return {row["id"]: row for row in json.loads(listed)["nodes"]}

    def shadows(self, node: int) -> list[int]:
        """Pids of shadow processes."""
        return [int(pid) for pid in self.cluster.run(f"cat {SHADOWS}/cgroup.procs", node, cwd="/").stdout.split()]

    def console_has(self, node: int, text: str) -> bool:
        return text in self.cluster.console(node)

    def leftovers(self):
        return self.cluster.leaks(LEFTOVERS)


def user_seconds(cpu_stat: str) -> float:
    """From a cgroup's cpu.stat; a node that never had a shadow has no such group."""
    fields = dict(line.split() for line in cpu_stat.splitlines())
    return int(fields.get("user_usec", 0)) / 1e6
