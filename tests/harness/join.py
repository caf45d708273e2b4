"""Telling every node who the others are, and waiting until all have joined."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import secrets

from . import paths

CONFIG = "/etc/procshare/cluster.toml"
KEY = "/etc/procshare/cluster.key"
# Where the kernel looks for the program that becomes the shadow process (CONFIG_PROCSHARE_HELPER_PATH).
HELPER = "/usr/sbin/procshare-shadow"
TIMEOUT = 60


def cluster_toml(nodes: int) -> str:
    table = "".join(f'\n[[node]]\nid = {n}\naddress = "10.77.0.{n + 1}"\n' for n in range(nodes))
    return f'key-file = "{KEY}"\n{table}'


def join_all(cluster) -> None:
    """Writes the configuration everywhere; joins where the kernel and the tool know how to."""
    config, key = cluster_toml(cluster.machine.nodes), secrets.token_hex(32) + "\n"
    store = f"mkdir -p /etc/procshare && cat > {CONFIG} && ln -sfn {paths.PROGRAMS}/procshare-shadow {HELPER}"
    store_key = f"umask 077 && cat > {KEY}"
    for node in cluster.live_nodes():
        cluster.run(store, node, stdin=config, check=True, cwd="/")
        cluster.run(store_key, node, stdin=key, check=True, cwd="/")
    if not (cluster.machine.knows_procshare() and (paths.PROGRAMS / "procshare").is_file()):
        return
    # All at once: each waits for the others.
    jobs = [
        cluster.start(["procshare", "node", "join", "--config", CONFIG, "--id", str(node), "--wait"], node, cwd="/")
        for node in cluster.live_nodes()
    ]
    for job in jobs:
        job.wait(TIMEOUT, check=True)
