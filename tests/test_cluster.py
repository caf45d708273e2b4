"""The harness itself: what tests and scripts/cluster rely on."""
# SPDX-License-Identifier: GPL-2.0-only

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from harness import CommandFailed, KernelSplat, NodeDied
from harness.link import netem_arguments
from harness.errors import ClusterError

CLUSTER = Path(__file__).resolve().parent.parent / "scripts" / "cluster"

# Reaches another node over the cluster's network without any tool but python3.
CONNECT = (
    "python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).sendall(b\"x\")' {} {}"
)
LISTEN = "python3 -c 'import socket; s = socket.create_server((\"\", {})); print(flush=True); s.accept()[0].recv(1)'"


def cluster_run(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess:
    return subprocess.run([CLUSTER, "run", *arguments], capture_output=True, timeout=timeout)


def test_streams_and_status_are_kept_apart(cluster):
    result = cluster.run("echo out; echo err >&2; exit 7", node=1)
    assert (result.stdout, result.stderr, result.returncode) == ("out\n", "err\n", 7)


def test_death_by_signal_is_negative(cluster):
    assert cluster.run("kill -9 $$").returncode == -signal.SIGKILL


def test_missing_program_is_127(cluster):
    assert cluster.run(["no-such-program"]).returncode == 127


def test_large_output_and_input_arrive_whole(cluster):
    data = os.urandom(300_000).hex()
    assert cluster.run("cat", stdin=data).stdout == data


def test_commands_run_concurrently(cluster):
    begin = time.monotonic()
    jobs = [cluster.start("sleep 2", node) for node in (0, 0, 1, 2)]
    for job in jobs:
        job.wait(30, check=True)
    assert time.monotonic() - begin < 6


def test_signal_reaches_a_job(cluster):
    job = cluster.start("trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.1; done")
    while "ready" not in job.stdout:
        time.sleep(0.05)
    job.send_signal(signal.SIGTERM)
    result = job.wait(30)
    assert (result.returncode, result.stdout) == (3, "ready\ncaught\n")


def test_timeout_kills_the_command(cluster):
    with pytest.raises(TimeoutError, match="not done"):
        cluster.run("sleep 1000", timeout=1)
    assert cluster.run("pgrep -x sleep").stdout == ""


def test_check_names_the_command(cluster):
    with pytest.raises(CommandFailed, match="node0: false: exit status 1"):
        cluster.run("false", check=True)


def test_root_is_writable_and_private(cluster):
    cluster.run("echo here > /etc/procshare-test", node=0, check=True)
    assert cluster.run("cat /etc/procshare-test", node=1).returncode != 0
    assert not Path("/etc/procshare-test").exists()


def test_runs_as_another_user(cluster):
    assert cluster.run("id -un; echo $HOME", user="nobody").stdout.split()[0] == "nobody"


def test_nodes_reach_each_other(cluster):
    listener = cluster.start(LISTEN.format(5000), node=2)
    while not listener.stdout:
        time.sleep(0.05)
    cluster.run(CONNECT.format("node2", 5000), node=0, check=True)
    listener.wait(30, check=True)


def test_nothing_left_means_no_leaks(cluster):
    before = cluster.leaks()
    cluster.run("true")
    assert before.leaked_since(settle=5) == []


def test_leaks_are_named(cluster):
    before = cluster.leaks()
    job = cluster.start("sleep 77", node=1)
    job.wait_started()
    assert "node1: process left: sleep 77" in before.leaked_since(settle=0)
    job.send_signal(signal.SIGKILL, whole_group=True)
    job.wait(30)


def test_paused_node_answers_after_resume(cluster):
    cluster.pause(1)
    job = cluster.start("echo late", node=1)
    time.sleep(1)
    assert job.poll() is None
    cluster.resume(1)
    assert job.wait(30).stdout == "late\n"


def test_cut_node_is_unreachable_until_mended(cluster):
    listener = cluster.start(LISTEN.format(5001), node=2)
    while not listener.stdout:
        time.sleep(0.05)
    cluster.cut(2)
    assert cluster.run(CONNECT.format("node2", 5001), node=0).returncode != 0
    cluster.mend(2)
    cluster.run(CONNECT.format("node2", 5001), node=0, check=True)
    listener.wait(30, check=True)


def test_killed_node_is_gone_and_others_go_on(make_cluster):
    cluster = make_cluster(nodes=2)
    cluster.kill(1)
    assert cluster.live_nodes() == [0]
    cluster.run("true", check=True)
    cluster.check()


def test_node_that_dies_is_noticed(make_cluster):
    cluster = make_cluster(nodes=1)
    with pytest.raises((NodeDied, KernelSplat)):
        cluster.run("kill -TERM 1; busybox reboot -f", timeout=30)
        cluster.run("sleep 30", timeout=30)


def test_kernel_splat_fails_the_run(make_cluster):
    cluster = make_cluster(nodes=2)
    with pytest.raises(KernelSplat, match="node1: .*WARNING: made up"):
        cluster.run("echo '<4>WARNING: made up' > /dev/kmsg; sleep 1", node=1)


def test_link_delay_is_felt(make_cluster):
    cluster = make_cluster(nodes=2, link="delay=100ms")
    listener = cluster.start(LISTEN.format(5000), node=1)
    while not listener.stdout:
        time.sleep(0.05)
    timed = "python3 -c 'import socket,time; t=time.time(); socket.create_connection((\"node1\",5000)).send(b\"x\"); print(time.time()-t)'"
    assert float(cluster.run(timed, check=True).stdout) > 0.19


def test_link_specification():
    assert netem_arguments("delay=5ms,loss=1%") == ["delay", "5ms", "loss", "1%"]
    with pytest.raises(ClusterError, match="bad link item"):
        netem_arguments("speed=3")


def test_command_line_passes_output_and_status(tmp_path):
    done = cluster_run("--nodes", "1", "--share", str(tmp_path), "--", "sh", "-c", f"echo hi; echo x > {tmp_path}/f; exit 5")
    assert (done.stdout, done.returncode) == (b"hi\n", 5)
    assert (tmp_path / "f").read_text() == "x\n"
    assert b"node*.log" in done.stderr


def test_command_line_timeout():
    done = cluster_run("--nodes", "1", "--timeout", "1", "--", "sleep", "100")
    assert done.returncode == 124


def test_command_line_reports_a_splat():
    done = cluster_run("--nodes", "1", "--", "sh", "-c", "echo '<3>BUG: made up' > /dev/kmsg")
    assert done.returncode == 125
    assert b"BUG: made up" in done.stderr
