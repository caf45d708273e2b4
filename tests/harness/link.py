"""A bad network, made with netem inside the nodes: delay=5ms,loss=1%,dup=1%,rate=100mbit."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

from .errors import ClusterError

NETEM_WORD = {"delay": "delay", "jitter": "", "loss": "loss", "dup": "duplicate", "rate": "rate", "reorder": "reorder"}


def netem_arguments(spec: str) -> list[str]:
    words = []
    for item in spec.split(","):
        key, _, value = item.partition("=")
        if key not in NETEM_WORD or not value:
            raise ClusterError(f"bad link item {item!r}: use {', '.join(NETEM_WORD)} with =VALUE")
        # A jitter is the second argument of delay, so it has no word of its own.
        words += [w for w in (NETEM_WORD[key], value) if w]
    return words


def shape(cluster, spec: str) -> None:
    """Every node's sending side; a spec replaces what an earlier one made."""
    arguments = netem_arguments(spec)
    for node in cluster.live_nodes():
        cluster.run(["tc", "qdisc", "replace", "dev", "eth0", "root", "netem", *arguments], node, cwd="/", check=True)
