"""The node table: joining and leaving at run time, and bad input, which gives one clear error and changes nothing."""
# SPDX-License-Identifier: GPL-2.0-only

import json
import signal

import pytest
from harness.join import CONFIG
from harness.paths import ROOT
from sharing import HOME, PROGRAMS, poll

IMPOSTOR = ROOT / "tests" / "programs" / "impostor.py"
ALL = {0, 1, 2}
BYE = [f"{PROGRAMS}/signals", "bye"]  # ends with status 7 when told to


def tables(sharing) -> dict[int, dict]:
    """What each node says of all others, without what changes by itself."""
    return {
        node: {i: (row["state"], row["address"], row["port"]) for i, row in sharing.nodes(node).items()} for node in ALL
    }


def all_up(sharing) -> bool:
    states = {node: {i: row["state"] for i, row in sharing.nodes(node).items()} for node in ALL}
    return states == {node: {i: "self" if i == node else "up" for i in ALL} for node in ALL}


@pytest.fixture
def unchanged(sharing):
    """The node tables are the same afterwards, and shared programs still run everywhere."""
    before = tables(sharing)
    yield sharing
    poll("the node tables are as before", lambda: tables(sharing) == before)
    assert sharing.run([f"{PROGRAMS}/threads", "3", "1"], "spread").arrivals == {1: 1, 2: 1}


def expect_one_error(done, status: int, text: str) -> None:
    assert done.returncode == status, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("procshare: ")
    assert text in done.stderr
    assert done.stdout == ""


# Joining and leaving.


@pytest.mark.quick
def test_every_node_sees_all(sharing):
    assert all_up(sharing)


def rejoin(sharing, *order: int) -> None:
    for node in order:
        sharing.cluster.run(f"procshare node join --config {CONFIG} --id {node}", node, cwd="/", check=True)
    poll("all nodes are up", lambda: all_up(sharing))


@pytest.mark.quick
def test_leave_and_join_again(sharing):
    sharing.cluster.run("procshare node leave", 2, cwd="/", check=True)
    poll("home notices", lambda: sharing.nodes()[2]["state"] != "up")
    assert sharing.nodes()[1]["state"] == "up"
    outcome = sharing.run([f"{PROGRAMS}/threads", "3", "1"], "spread")
    assert (outcome.returncode, outcome.arrivals[1] > 0, outcome.arrivals.get(2, 0)) == (0, True, 0)
    rejoin(sharing, 2)
    outcome = sharing.run([f"{PROGRAMS}/threads", "3", "1"], "spread")
    assert outcome.arrivals == {1: 1, 2: 1}


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0)])
def test_join_in_any_order(sharing, order):
    for node in reversed(order):
        sharing.cluster.run("procshare node leave", node, cwd="/", check=True)
    rejoin(sharing, *order)
    assert sharing.run([f"{PROGRAMS}/threads", "3", "1"], "away").returncode == 0


def test_node_that_left_has_no_table(sharing):
    sharing.cluster.run("procshare node leave", 2, cwd="/", check=True)
    listed = sharing.cluster.run("procshare node list -j", 2, cwd="/")
    assert listed.returncode != 0 or json.loads(listed.stdout)["nodes"] == []
    expect_one_error(sharing.cluster.run("procshare node leave", 2, cwd="/"), 1, "join first")
    expect_one_error(sharing.cluster.run("procshare run true", 2, cwd="/"), 125, "join")
    rejoin(sharing, 2)


def test_home_leaves_while_programs_run(sharing):
    """What is spread dies, what has never been away goes on, forks and ends as if nothing had happened."""
    sharing.native("rm -f /tmp/go", check=True)
    stays = sharing.start("until [ -f /tmp/go ]; do sleep 0.1; done; (/bin/echo fine); exit 3", "home")
    goes, _ = sharing.start_ready([f"{PROGRAMS}/signals", "spin"], "away")
    stays.wait_started()
    sharing.cluster.run("procshare node leave", HOME, cwd="/", check=True)
    try:
        assert goes.wait(30).returncode == -signal.SIGKILL
        sharing.native("touch /tmp/go", check=True)
        assert (stays.wait(30).returncode, stays.stdout) == (3, "fine\n")
    finally:
        rejoin(sharing, HOME)
    assert sharing.run([f"{PROGRAMS}/threads", "3", "1"], "away").returncode == 0


def test_remote_nodes_lose_each_other(sharing):
    """What was under way between them is lost, although home reaches both: nothing waits for it for ever."""
    job, _ = sharing.start_ready([f"{PROGRAMS}/signals", "spin"], "away", nodes="1,2")
    other = sharing.start([f"{PROGRAMS}/threads", "3", "1"], "away", nodes="1")
    sharing.cluster.run("procshare node del 2", 1, cwd="/", check=True)
    try:
        assert job.wait(30).returncode == -signal.SIGKILL
        assert other.wait(60).returncode == 0
    finally:
        sharing.cluster.run("procshare node leave", 1, cwd="/", check=True)
        rejoin(sharing, 1)


def test_delete_and_add(sharing):
    sharing.cluster.run("procshare node del 2", HOME, cwd="/", check=True)
    assert set(sharing.nodes()) == {0, 1}
    sharing.cluster.run("procshare node add 2 10.77.0.3", HOME, cwd="/", check=True)
    poll("all nodes are up", lambda: all_up(sharing))


def test_leaving_ends_what_runs_there(sharing):
    """The administrator takes the node away: the process dies, with a reason in the log, and nothing hangs."""
    job, _ = sharing.start_ready([f"{PROGRAMS}/signals", "spin"], "away", "2")
    sharing.cluster.run("procshare node leave", 2, cwd="/", check=True, timeout=60)
    assert job.wait(30).returncode == -9
    poll("the log tells why", lambda: "killed: node 2 is lost" in sharing.cluster.console(HOME))
    rejoin(sharing, 2)


# Bad input.

RUN = "procshare run --nodes {} true"
BAD_COMMANDS = {
    "unknown-node": (RUN.format("0,7"), 125, "there is no node 7"),
    "empty-node-set": (RUN.format("'!all'"), 125, "is empty"),
    "backward-node-set": (RUN.format("2-1"), 125, "smaller number first"),
    "word-as-node-set": (RUN.format("some"), 125, "'some' is not a node"),
    "node-out-of-range": (RUN.format("64"), 125, "'64' is not a node"),
    "unknown-policy": ("procshare run --policy far true", 125, "there is no policy 'far'"),
    "bounce-0": ("procshare run --policy bounce:0 true", 125, "is not a time"),
    "no-program": ("procshare run", 125, "a program"),
    "nonexistent-program": ("procshare run no-such-program", 127, "'no-such-program' was not found in PATH"),
    "nonexistent-path": ("procshare run --policy away /no/such/program", 127, "/no/such/program"),
    "not-executable": ("procshare run /etc/passwd", 126, "cannot execute '/etc/passwd'"),
    "directory": ("procshare run /tmp", 126, "cannot execute '/tmp'"),
    "unwritable-statistics": ("procshare run --stats=/no/such/file true", 125, "/no/such/file"),
    "add-present": ("procshare node add 1 10.77.0.9", 1, "node 1 is in the node table already"),
    "add-self": ("procshare node add 0 10.77.0.9", 1, "node 0 is this machine"),
    "add-out-of-range": ("procshare node add 64 10.77.0.9", 1, "'64' is not a node"),
    "duplicate-address": ("procshare node add 3 10.77.0.2", 1, "is node 1's address"),
    "own-address": ("procshare node add 3 10.77.0.1", 1, "is node 0's address"),
    "set-duplicate-address": ("procshare node set 2 10.77.0.2", 1, "is node 1's address"),
    "malformed-address": ("procshare node add 3 10.77.0.300", 1, "10.77.0.300"),
    "no-ones-address": ("procshare node add 3 0.0.0.0", 1, "not the address of one machine"),
    "bad-port": ("procshare node add 3 10.77.0.9:99999", 1, "99999"),
    "delete-absent": ("procshare node del 9", 1, "node 9 is not in the node table"),
    "delete-self": ("procshare node del 0", 1, "node 0 is this machine"),
    "join-twice": (f"procshare node join --config {CONFIG} --id 0", 1, "leave first"),
    "migrate-nobody": ("procshare migrate 999999 1", 1, "no such process"),
    "migrate-unshared": ("procshare migrate 1 1", 1, "not a shared process: start it with procshare run"),
    "migrate-nowhere": ("procshare migrate $$ 77", 1, "'77' is not a node"),
    "unknown-verb": ("procshare node frobnicate", 2, "frobnicate"),
}


@pytest.mark.parametrize("name", BAD_COMMANDS)
def test_bad_command(sharing, name):
    before = tables(sharing)
    command, status, text = BAD_COMMANDS[name]
    expect_one_error(sharing.cluster.run(command, HOME, cwd="/"), status, text)
    assert tables(sharing) == before
    assert sharing.processes() == []


NODE = '[[node]]\nid = {}\naddress = "10.77.0.{}"\n'
KEY = 'key = "0123456789abcdef"\n'
BAD_FILES = {
    "malformed": ("[[node]\nid = 0\n", ":1: "),
    "no-key": (NODE.format(0, 1), "give one of 'key' and 'key-file'"),
    "short-key": ('key = "short"\n' + NODE.format(0, 1), "the key has 5 bytes"),
    "no-nodes": (KEY, "no nodes"),
    "duplicate-id": (KEY + NODE.format(0, 1) + NODE.format(0, 2), "duplicate id 0"),
    "duplicate-address": (KEY + NODE.format(0, 1) + NODE.format(1, 1), "duplicate address 10.77.0.1"),
    "bad-address": (KEY + NODE.format(0, 777), "10.77.0.777"),
    "bad-id": (KEY + NODE.format(64, 1), "'id' is not a number from 0 to 63"),
    "unknown-word": (KEY + "colour = 1\n" + NODE.format(0, 1), "unknown key 'colour'"),
    "nobody-here": (KEY + NODE.format(0, 99), "--id"),
    "missing-key-file": ('key-file = "/no/such/key"\n' + NODE.format(0, 1), "/no/such/key"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_cluster_file(sharing, name):
    """On a node that has left, so that only the file can be what is wrong."""
    text, message = BAD_FILES[name]
    before = tables(sharing)
    sharing.cluster.run("cat >/tmp/bad.toml", HOME, stdin=text, check=True)
    expect_one_error(sharing.cluster.run("procshare node join --config /tmp/bad.toml", HOME, cwd="/"), 1, message)
    assert tables(sharing) == before


def test_no_cluster_file(unchanged):
    done = unchanged.cluster.run("procshare node join --config /no/such/file", HOME, cwd="/")
    expect_one_error(done, 1, "/no/such/file")


def test_only_root_changes_the_table(unchanged):
    for command in ("add 3 10.77.0.9", "del 1", "set 1 10.77.0.9", "leave"):
        done = unchanged.cluster.run(f"procshare node {command}", HOME, cwd="/", user="nobody")
        expect_one_error(done, 1, "CAP_NET_ADMIN")


@pytest.mark.quick
def test_wrong_key(sharing):
    """A node with another key is refused by all, says so, and is welcome again with the right one."""
    sharing.cluster.run("procshare node leave", 2, cwd="/", check=True)
    config = f"{CONFIG}.wrong"
    sharing.cluster.run(
        f"umask 077; sed 's/^key-file.*/key = \"another key, as long\"/' {CONFIG} >{config}", 2, cwd="/", check=True
    )
    done = sharing.cluster.run(f"procshare node join --config {config} --id 2 --wait=4", 2, cwd="/")
    expect_one_error(done, 1, "wrong cluster key")
    assert sharing.nodes()[1]["state"] == "up"
    assert sharing.nodes()[2]["state"] != "up"
    assert "wrong cluster key" in sharing.nodes()[2]["reason"]
    assert sharing.run([f"{PROGRAMS}/threads", "2", "1"], "spread").arrivals == {1: 1}
    sharing.cluster.run("procshare node leave", 2, cwd="/", check=True)
    rejoin(sharing, 2)


# Peers that send garbage.

REFUSED = {
    "noise": "REFUSE", "http": "REFUSE", "zeros": "REFUSE", "huge": "REFUSE", "short-hello": "REFUSE",
    "coherence-first": "REFUSE", "wrong-version": "REFUSE", "wrong-key": "REFUSE", "unknown-node": "REFUSE",
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_garbage_before_hello(unchanged, what):
    def lines() -> int:
        return unchanged.cluster.console(HOME).count("10.77.0.2")

    before = lines()
    job, _ = unchanged.start_ready(BYE, "away")
    done = unchanged.cluster.run(["python3", str(IMPOSTOR), "10.77.0.1", f"before:{what}"], 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1:] == [REFUSED[what]]
    poll("a line in the log says what happened", lambda: lines() > before)
    job.send_signal(15)
    assert job.wait(30).returncode == 7
    assert lines() == before + 1, "one line, no more"


@pytest.fixture
def stranger(sharing):
    """Node 5 is in home's table, at an address that is node 1's, where somebody plays it."""
    before = tables(sharing)
    sharing.cluster.run("procshare node add 5 10.77.0.2:9", HOME, cwd="/", check=True)
    yield sharing
    sharing.cluster.run("procshare node del 5", HOME, cwd="/", check=True)
    assert tables(sharing) == before


@pytest.mark.parametrize(
    "what, reason",
    {
        "noise": "message", "unknown-type": "message of unknown type", "type-zero": "message of unknown type",
        "too-long": "message too long", "other-sender": "message in another node's name",
        "unknown-flags": "message with unknown flags", "page-with-ping": "message with a page that it cannot have",
        "page-with-call": "message with a page that it cannot have",
        "second-hello": "second HELLO",
    }.items(),
)  # fmt: skip
def test_garbage_after_hello(stranger, what, reason):
    job, _ = stranger.start_ready(BYE, "away", "1,2")
    done = stranger.cluster.run(["python3", str(IMPOSTOR), "10.77.0.1", f"after:{what}"], 1)
    assert done.returncode == 0, done.stderr
    assert "PROOF" in done.stdout, "it was let in"
    poll("home has thrown it out", lambda: reason in stranger.nodes()[5]["reason"])
    assert {stranger.nodes()[node]["state"] for node in (1, 2)} == {"up"}
    job.send_signal(15)
    assert job.wait(30).returncode == 7


@pytest.mark.quick
def test_meddling_with_others_processes(stranger):
    """Messages about processes that the node takes no part in have no effect on them."""
    job = stranger.start([f"{PROGRAMS}/registers", "2", "1000000"], "away", nodes="1,2")
    pid = job.wait_started()
    poll("it is away", lambda: stranger.where(pid) == {1, 2} or stranger.where(pid) - {HOME})
    for _ in range(3):
        done = stranger.cluster.run(["python3", str(IMPOSTOR), "10.77.0.1", "meddle"], 1)
        assert done.returncode == 0, done.stderr
    job.send_signal(10)
    result = job.wait(30)
    assert result.returncode == 0, result.stderr


def test_crowd_of_strangers(unchanged):
    """More connections than there may be nodes, all silent: those in the table stay, the others are closed."""
    job, _ = unchanged.start_ready(BYE, "away")
    done = unchanged.cluster.run(["python3", str(IMPOSTOR), "10.77.0.1", "crowd:200"], 1)
    assert (done.returncode, done.stdout) == (0, "crowded and over\n"), done.stderr
    job.send_signal(15)
    assert job.wait(30).returncode == 7
