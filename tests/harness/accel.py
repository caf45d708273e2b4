"""Whether nodes may run under KVM: /dev/kvm can exist and open on machines where a guest then hangs, so one is tried."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from . import paths
from .errors import ClusterError
from .network import SocketNetwork
from .node import Machine, Node

PROBE_SECONDS = 8
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def choose_accel(image: Path) -> str:
    """kvm or tcg; the answer is kept until the machine reboots. PROCSHARE_ACCEL overrides it."""
    if chosen := os.environ.get("PROCSHARE_ACCEL"):
        return chosen
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    known = paths.BUILD / "harness" / "accel"
    boot = BOOT_ID.read_text().strip()
    words = known.read_text().split() if known.exists() else []
    if words[:1] != [boot]:
        words = [boot, "kvm" if _kvm_boots(image) else "tcg"]
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(" ".join(words) + "\n")
    return words[1]


def _kvm_boots(image: Path) -> bool:
    print(f"cluster: trying KVM, at most {PROBE_SECONDS} s, once", file=sys.stderr)
    machine = Machine(nodes=1, memory="256M", accel="kvm", image=image)
    with tempfile.TemporaryDirectory() as directory:
        node = Node(0, machine, SocketNetwork(), Path(directory) / "probe.log")
        try:
            node.wait_ready(PROBE_SECONDS)
            return node.agent.start("true", "/", {}).wait(PROBE_SECONDS).returncode == 0
        except (ClusterError, TimeoutError):
            return False
        finally:
            node.stop()
