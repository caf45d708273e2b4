"""Servers whose threads are on other nodes serve clients at home as if they were not."""
# SPDX-License-Identifier: GPL-2.0-only

from dataclasses import dataclass

import pytest
from harness.paths import ROOT
from sharing import SLOWNESS, poll

pytestmark = pytest.mark.long
HERE = ROOT / "tests/programs/large"
LOAD = f"python3 {HERE}/load.py"
FILES = "/tmp/files"
PREPARE = f"""mkdir -p {FILES} && cd {FILES} && for i in 1 2 3 4 5 6; do head -c $((i * 70000)) /usr/bin/python3.11 >file$i; done"""


@dataclass(frozen=True)
class Server:
    """A command that stays in the foreground, the load for it, and the port that it listens at."""

    command: str
    load: str
    port: int
    status: int = 0  # when it is told to end

    def wait_ready(self, sharing, job) -> None:
        """It may take a while to start, not to answer."""
        probe = f"exec 3<>/dev/tcp/127.0.0.1/{self.port}"
        poll("it listens", lambda: job.poll() is not None or sharing.native(["bash", "-c", probe]).returncode == 0, 300, 1)
        assert job.poll() is None, job.stderr


SERVERS = {
    "redis": Server(
        "redis-server --port 7001 --save '' --io-threads 3 --io-threads-do-reads yes",
        f"{LOAD} redis 7001 && redis-benchmark -p 7001 -n 60 -c 6 -t set,get,lpush -q >/dev/null && redis-cli -p 7001 dbsize", 7001,
    ),
    "memcached": Server("memcached -u nobody -l 127.0.0.1 -p 7002 -t 3", f"{LOAD} memcached 7002", 7002),
    "nginx": Server(f"nginx -c {HERE}/nginx.conf", f"{LOAD} http 7003 {FILES}/file*", 7003),
}  # fmt: skip


def remote_share(sharing) -> float:
    """Of the user CPU time of all threads there are."""
    threads = [thread for process in sharing.processes() for thread in process["threads"]]
    home, remote = (sum(thread[f"{place}_user_ns"] for thread in threads) for place in ("home", "remote"))
    return remote / (home + remote) if home + remote else 0


def serve(sharing, server: Server, job) -> str:
    """What the load says about a server, which has to end well afterwards."""
    server.wait_ready(sharing, job)
    said = sharing.native(server.load, timeout=600 * SLOWNESS, check=True).stdout
    return said


def end(server: Server, job) -> None:
    job.send_signal(15)
    assert job.wait(120 * SLOWNESS).returncode == server.status, job.stdout + job.stderr


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("policy", ("spread", "away"))
@pytest.mark.parametrize("name", SERVERS)
def test_serves_as_natively(sharing, name, policy):
    server = SERVERS[name]
    sharing.native(PREPARE, check=True)
    job = sharing.cluster.start(["sh", "-c", f"exec {server.command}"], cwd="/tmp")
    expected = serve(sharing, server, job)
    end(server, job)
    assert expected.startswith("wrong: 0\n")
    job = sharing.start(f"exec {server.command}", policy)
    said = serve(sharing, server, job)
    sharing.note(f"{policy}: {remote_share(sharing):.0%} of user CPU time remote")
    end(server, job)
    assert said == expected
