"""Shadow processes, nodes and wires that die: home never hangs, the process dies with a reason, others go on."""
# SPDX-License-Identifier: GPL-2.0-only

import signal
import time

import pytest
from sharing import HOME, PROGRAMS, poll

# Stated: a link that brings nothing for 8 s is lost. What then has to happen gets a few seconds on emulated nodes.
SILENT = 8
SLACK = 6
SPIN = [f"{PROGRAMS}/signals", "spin"]


def start_on(sharing, nodes: str, command=SPIN):
    """A program that computes on exactly these nodes."""
    return sharing.start_ready(command, "away", nodes)


def expect_killed(job, limit: float) -> None:
    result = job.wait(limit)
    assert result.returncode == -signal.SIGKILL
    assert result.seconds < 300


def test_shadow_process_is_killed(sharing):
    job, pid = start_on(sharing, "1,2")
    other, _ = start_on(sharing, "2")
    [shadow] = sharing.shadows(1)
    sharing.cluster.run(f"kill -KILL {shadow}", 1, check=True)
    expect_killed(job, 10)
    poll("the log tells why", lambda: f"[{pid}] killed: its shadow process is gone" in sharing.cluster.console(HOME))
    assert other.poll() is None, "another process goes on"
    other.send_signal(signal.SIGTERM)
    assert other.wait(30).returncode == -signal.SIGTERM


@pytest.mark.quick
def test_shadow_process_is_killed_while_it_hosts_many(sharing):
    jobs = [start_on(sharing, "1")[0] for _ in range(3)]
    sharing.cluster.run(f"kill -KILL {' '.join(map(str, sharing.shadows(1)))}", 1, check=True)
    for job in jobs:
        expect_killed(job, 20)
    assert sharing.run([f"{PROGRAMS}/threads", "2", "1"], "away").returncode == 0


def test_shadow_does_not_obey_other_signals(sharing):
    """Nobody on the remote node decides what the program does: home does."""
    job, _ = start_on(sharing, "1", [f"{PROGRAMS}/signals", "bye"])
    [shadow] = sharing.shadows(1)
    for number in ("TERM", "INT", "HUP", "USR1"):
        sharing.cluster.run(f"kill -{number} {shadow}", 1, check=True)
    time.sleep(1)  # nothing is waited for: nothing may happen
    assert job.poll() is None
    job.send_signal(signal.SIGTERM)
    assert job.wait(30).returncode == 7


def test_memory_cannot_be_had(sharing):
    """A remote node's group of shadows may have little memory: the program dies, the node lives."""
    group = "/sys/fs/cgroup/procshare"
    program = ["python3", "-c", "x = bytearray(12 << 20); print(sum(x[::4096]))"]
    sharing.run(f"{PROGRAMS}/threads 2 1", "away", nodes="1")  # after it the group is there
    sharing.cluster.run("echo +memory >/sys/fs/cgroup/cgroup.subtree_control", 1, check=True)
    sharing.cluster.run(f"echo 6M >{group}/memory.max", 1, check=True)
    try:
        outcome = sharing.run(program, "away", nodes="1")
        assert (outcome.returncode, outcome.stdout) == (128 + signal.SIGKILL, ""), outcome.stderr
        # The page table that a page needs may be what there is no room for: that is the OOM killer's case.
        console = sharing.cluster.console(1)
        assert "no memory for a page" in console or "Memory cgroup out of memory: Killed process" in console
    finally:
        sharing.cluster.run(f"echo max >{group}/memory.max", 1, check=True)
    assert sharing.run(program, "away", nodes="1").stdout == "0\n"


def test_thread_cannot_be_made(sharing):
    """A remote node's group of shadows may have few tasks: the threads that find no room stay at home."""
    group = "/sys/fs/cgroup/procshare"
    program = [f"{PROGRAMS}/threads", "6", "4"]
    expected = sharing.run(program, "away", nodes="1").stdout  # after it the group is there
    sharing.cluster.run("echo +pids >/sys/fs/cgroup/cgroup.subtree_control", 1, check=True)
    sharing.cluster.run(f"echo 5 >{group}/pids.max", 1, check=True)
    try:
        outcome = sharing.run(program, "away", nodes="1")
        assert (outcome.returncode, outcome.stdout) == (0, expected), outcome.stderr
        assert outcome.reasons["error"] > 0, outcome.verdict()
        assert sum(outcome.arrivals.values()) > 0, outcome.verdict()
    finally:
        sharing.cluster.run(f"echo max >{group}/pids.max", 1, check=True)


def test_remote_node_dies(make_cluster, share):
    sharing = share(make_cluster(nodes=3))
    job, pid = start_on(sharing, "1,2")
    other, _ = start_on(sharing, "1")
    sharing.cluster.kill(2)
    expect_killed(job, SILENT + SLACK)
    # Whoever notices first: home, or the shadow that exchanged pages with the dead node.
    console = sharing.cluster.console(HOME)
    assert "node 2 is lost" in console or "its shadow process is gone" in console
    poll("home has noticed", lambda: sharing.nodes()[2]["state"] == "lost", SILENT + SLACK)
    assert other.poll() is None
    other.send_signal(signal.SIGTERM)
    assert other.wait(30).returncode == -signal.SIGTERM
    assert sharing.run([f"{PROGRAMS}/threads", "2", "1"], "away", nodes="1").returncode == 0


def test_node_that_could_not_host_dies(make_cluster, share):
    """It has nothing of the program: that goes on."""
    sharing = share(make_cluster(nodes=3))
    poll("a helper waits", lambda: sharing.cluster.run("pidof procshare-shadow", 2).stdout)
    end_helpers = "while pidof procshare-shadow; do kill $(pidof procshare-shadow); sleep 0.1; done"
    sharing.cluster.run(f"mount --bind /etc/passwd /usr/sbin/procshare-shadow && {end_helpers}", 2, check=True)
    job = sharing.start(SPIN, "away", nodes="1,2")
    pid = job.wait_started()
    poll("node 2 was asked", lambda: "cannot host" in sharing.cluster.console(HOME))
    poll("it is on node 1", lambda: 1 in sharing.where(pid))
    sharing.cluster.kill(2)
    poll("home has noticed", lambda: sharing.nodes()[2]["state"] == "lost", SILENT + SLACK)
    job.send_signal(signal.SIGTERM)
    assert job.wait(30).returncode == -signal.SIGTERM


def test_home_waits_in_a_call_when_the_node_dies(make_cluster, share):
    """Nothing but the shared program notices: commands at home do not hang."""
    sharing = share(make_cluster(nodes=2))
    job, pid = start_on(sharing, "1", ["sh", "-c", "echo ready; sleep 1000"])
    sharing.cluster.kill(1)
    for command in ("procshare ps", "procshare node list", f"cat /proc/{pid}/maps /proc/{pid}/cmdline", "true"):
        sharing.cluster.run(command, HOME, timeout=SILENT + SLACK, cwd="/")
    expect_killed(job, SILENT + SLACK)


@pytest.mark.quick
def test_node_is_cut_off_and_comes_back(sharing):
    """Both sides notice; the shadows on the far side die; after mending all is as before."""
    job, pid = start_on(sharing, "2")
    sharing.cluster.cut(2)
    try:
        expect_killed(job, SILENT + SLACK)
        poll("the cut-off node kills its shadows", lambda: not sharing.shadows(2), SILENT + SLACK)
        assert sharing.nodes()[2]["state"] == "lost"
        assert sharing.nodes(2)[0]["state"] == "lost"
    finally:
        sharing.cluster.mend(2)
    poll("the node is up again", lambda: sharing.nodes()[2]["state"] == "up" and sharing.nodes(2)[1]["state"] == "up")
    assert sharing.run([f"{PROGRAMS}/threads", "2", "1"], "away", nodes="2").returncode == 0


def test_wire_between_remotes_breaks(make_cluster, share):
    """A short cut is survived: nothing is lost while the link lives."""
    sharing = share(make_cluster(nodes=3))
    job = sharing.start([f"{PROGRAMS}/threads", "4", "20"], "away")
    pid = job.wait_started()
    poll("it is away", lambda: sharing.where(pid) - {HOME})
    sharing.cluster.cut(1)
    time.sleep(2)
    sharing.cluster.mend(1)
    native = sharing.native([f"{PROGRAMS}/threads", "4", "20"])
    assert (job.wait(120).returncode, job.stdout) == (0, native.stdout)


def test_home_dies(make_cluster, share):
    """The remotes kill their shadows within the stated time and stay usable."""
    sharing = share(make_cluster(nodes=3))
    start_on(sharing, "1,2")
    sharing.cluster.kill(HOME)
    for node in (1, 2):
        poll(f"node {node} has no shadows left", lambda node=node: not sharing.shadows(node), SILENT + SLACK)
        assert "its home node 0 is lost" in sharing.cluster.console(node)
    done = sharing.cluster.run(["procshare", "run", "--policy", "away", "--", f"{PROGRAMS}/threads", "2", "1"], 1, cwd="/")
    assert done.returncode == 0, done.stderr


def catches(sharing, pid: int, number: int) -> bool:
    """Has the program installed a handler for the signal?"""
    status = sharing.cluster.run(["grep", "SigCgt", f"/proc/{pid}/status"], HOME).stdout
    return bool(int(status.split()[1], 16) & 1 << (number - 1))


def test_remote_node_stands_still_for_a_while(sharing):
    """Paused for less than the limit, it goes on where it was."""
    job = sharing.start([f"{PROGRAMS}/registers", "2", "1000000"], "away", nodes="1,2")
    pid = job.wait_started()
    poll("it is away", lambda: sharing.where(pid) - {HOME})
    poll("its handler is there", lambda: catches(sharing, pid, signal.SIGUSR1))
    sharing.cluster.pause(1)
    time.sleep(3)
    sharing.cluster.resume(1)
    job.send_signal(signal.SIGUSR1)
    result = job.wait(60)
    assert result.returncode == 0, result.stderr


def test_exec_while_a_thread_waits_for_a_node(sharing):
    """The thread makes way when the node has answered: nobody is killed for its being slow."""
    job = sharing.start([f"{PROGRAMS}/succession"], "spread", nodes="0,1")
    pid = job.wait_started()
    poll("its pages are elsewhere", lambda: "written" in job.stdout)
    job.send_signal(signal.SIGUSR1)
    poll("home is not busy with that any more", lambda: "half" in job.stdout)
    assert sharing.where(pid) == {HOME, 1}
    sharing.cluster.pause(1)
    job.send_signal(signal.SIGUSR1)
    time.sleep(3)  # longer than the second after which a thread looks whether it has been killed
    sharing.cluster.resume(1)
    assert (job.wait(60).returncode, job.stdout.splitlines()[-1]) == (0, "again")


def test_killed_while_everything_is_under_way(sharing):
    """SIGKILL at ever later moments of a start, from fork to full speed."""
    for moment in range(0, 40, 4):
        job = sharing.start([f"{PROGRAMS}/threads", "4", "100000"], "away")
        job.wait_started()
        time.sleep(moment / 20)  # a moment of its own, not a wait for something
        job.send_signal(signal.SIGKILL)
        assert job.wait(30).returncode == -signal.SIGKILL
    poll("no shadows are left", lambda: not sharing.shadows(1) and not sharing.shadows(2), 10)
