"""Where things are, and how they are built when they are not there yet."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .errors import ClusterError

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
USERLAND = BUILD / "userland"
PROGRAMS = USERLAND / "bin"
SOURCES = Path(__file__).resolve().parent / "node"
PATH = f"{PROGRAMS}:{ROOT}/scripts:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MANPATH = f"{USERLAND}/share/man:"


def kernel_image(directory: str | Path | None) -> Path:
    """Of a kernel build directory; the environment variable PROCSHARE_KERNEL names another default."""
    directory = Path(directory or os.environ.get("PROCSHARE_KERNEL", BUILD / "kernel-node")).resolve()
    image = directory / "arch/x86/boot/bzImage"
    if not image.exists():
        raise ClusterError(f"no kernel at {image}: run scripts/kernel build")
    return image


def node_init() -> Path:
    """The static program that is every node's process 1, rebuilt when its sources changed."""
    program = BUILD / "harness" / "node-init"
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir())
    if program.exists() and program.stat().st_mtime >= newest:
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(".new")
    sources = [str(SOURCES / name) for name in ("init.c", "agent.c")]
    done = subprocess.run(
        ["gcc", "-static", "-O2", "-Wall", "-Wextra", "-o", str(fresh), *sources], capture_output=True, text=True
    )
    if done.returncode:
        raise ClusterError(f"building the nodes' init failed: {done.stderr.strip()}")
    fresh.replace(program)
    return program
