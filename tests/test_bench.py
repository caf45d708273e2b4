"""Every benchmark runs, and says what it promises."""
# SPDX-License-Identifier: GPL-2.0-only

import json

import pytest
from sharing import HOME, SLOWNESS

ROUND_TRIP = {"request", "reply", "min_ns", "median_ns", "p99_ns", "mean_ns"}
BULK = {"request", "reply", "window", "bytes_per_s"}
CONTENTION = {"threads", "steps_per_s", "moves_per_s", "least_steps", "most_steps"}
SMALL, PAGE = 64, 4096  # bytes of the raw reply

# By name: bytes of the raw reply, figures beside the latencies, samples.
LATENCIES = {
    "read-fault": (PAGE, set(), 5),
    "write-fault": (PAGE, set(), 5),
    "upgrade": (SMALL, set(), 5),
    "first-touch": (SMALL, set(), 5),
    "third-read": (PAGE, set(), 5),
    "third-write": (PAGE, set(), 5),
    "write-shared": (PAGE, {"sharers"}, 5),
    "home-read": (PAGE, set(), 5),
    "home-write": (SMALL, set(), 5),
    "random": (PAGE, {"single_median_ns", "of_single"}, 5),
    "fill": (SMALL, {"in_order_median_ns", "in_order_p99_ns"}, 5),
    "getppid": (SMALL, set(), 5),
    "read-64": (SMALL, set(), 5),
    "write-64": (SMALL, set(), 5),
    "read-4k": (PAGE, set(), 5),
    "write-4k": (PAGE, set(), 5),
    "futex-wake": (SMALL, set(), 5),
    "migrate": (SMALL, set(), 5),
    "migrate-out": (SMALL, set(), 5),
    "migrate-back": (SMALL, set(), 5),
    "migrate-first": (SMALL, set(), 5),
    "ping-pong": (PAGE, set(), 5),
    "hot-page": (PAGE, CONTENTION, 300),
    "mutex": (PAGE, CONTENTION, 300),
    "barrier": (PAGE, {"threads"}, 5),
}
# By name: figures, samples.
OTHERS = {
    "false-sharing": ({"threads", "together_per_s", "apart_per_s", "slowdown"}, 300),
    "speedup": ({"threads", "nodes", "home_s", "spread_s", "speedup"}, 1),
}


def bench(cluster, name: str, count: int, *more: str) -> dict:
    command = ["procshare", "bench", name, "--json", "--count", str(count), *more]
    said = json.loads(cluster.run(command, HOME, cwd="/", check=True, timeout=120 * SLOWNESS).stdout)
    assert (said["schema"], said["bench"], said["count"]) == ("procshare.bench/2", name, count)
    return said


@pytest.mark.parametrize("name", LATENCIES)
def test_a_latency_stands_beside_the_raw_round_trip(cluster, name):
    reply, figures, count = LATENCIES[name]
    said = bench(cluster, name, count)
    assert 0 < said["median_ns"] <= said["p99_ns"]
    assert set(said["raw"]) == ROUND_TRIP and said["raw"]["reply"] == reply
    assert said["ratio"] == pytest.approx(said["median_ns"] / said["raw"]["median_ns"])
    assert set(said["figures"]) == figures
    assert said["figures"].get("sharers", 1) == 1 and said["figures"].get("threads", 3) == 3


def test_a_rate_stands_beside_the_raw_rate(cluster):
    said = bench(cluster, "sequential", 5)
    assert set(said["raw"]) == BULK and said["figures"]["bytes"] == 5 * 65536
    assert said["ratio"] == pytest.approx(said["figures"]["bytes_per_s"] / said["raw"]["bytes_per_s"])


def test_fork_takes_what_its_transfer_takes(cluster):
    said = bench(cluster, "fork", 16)
    figures = said["figures"]
    assert set(said["raw"]) == BULK and set(figures) == {"fork_s", "bytes", "bytes_per_s"}
    assert figures["bytes"] == pytest.approx(16 << 20, rel=0.1)
    assert figures["bytes_per_s"] == pytest.approx(figures["bytes"] / figures["fork_s"])
    assert said["ratio"] == pytest.approx(figures["bytes_per_s"] / said["raw"]["bytes_per_s"])
    # A round trip for each page would be less than a tenth.
    assert said["ratio"] > 0.3


@pytest.mark.parametrize("name", OTHERS)
def test_what_gets_done(cluster, name):
    figures, count = OTHERS[name]
    said = bench(cluster, name, count)
    assert set(said["figures"]) == figures
    assert all(value > 0 for value in said["figures"].values())


def test_what_the_transport_does(cluster):
    said = bench(cluster, "echo", 20, "--node", "2")
    assert said["node"] == 2
    assert [set(echo) for echo in said["echo"]] == [ROUND_TRIP, ROUND_TRIP]
    assert set(said["bulk"]) == BULK and said["bulk"]["bytes_per_s"] > 0


def test_as_text(cluster):
    said = cluster.run("procshare bench write-shared -c 3", HOME, cwd="/", check=True).stdout
    assert said.startswith("write-shared, node 1: median ") and said.endswith("; sharers 1\n"), said
    assert said.count("\n") == 1 and " times the raw round trip (64 B out, 4096 B back: median " in said


def test_a_wrong_name_is_answered_with_the_right_ones(cluster):
    refused = cluster.run("procshare bench nonsense", HOME, cwd="/")
    names = ", ".join(["echo", "read-fault", "write-fault"])
    assert refused.returncode and refused.stderr.count("\n") == 1
    assert refused.stderr.startswith(f"procshare: there is no benchmark 'nonsense': choose one of {names}, ")
    said = refused.stderr.rstrip("\n").split("choose one of ")[1].split(", ")
    assert set(said) == {"echo", "sequential", "fork", *LATENCIES, *OTHERS}


def test_two_nodes_have_no_third(make_cluster):
    cluster = make_cluster(nodes=2, mem="384M")
    for name in ("third-read", "third-write", "write-shared"):
        refused = cluster.run(["procshare", "bench", name], HOME, cwd="/")
        assert refused.returncode and "needs a third node" in refused.stderr, refused.stderr
