"""Where things are, and how they are built when they are not there yet."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import functools
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


def built(name: str, *sources: str) -> Path:
    """A static program of node/, rebuilt when something there has changed."""
    program = BUILD / "harness" / name
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir())
    if program.exists() and program.stat().st_mtime >= newest:
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(".new")
    command = ["gcc", "-static", "-O2", "-Wall", "-Wextra", "-o", str(fresh), *(str(SOURCES / source) for source in sources)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ClusterError(f"building {name} failed: {done.stderr.strip()}")
    fresh.replace(program)
    return program


def node_init() -> Path:
    """Every node's process 1."""
    return built("node-init", "init.c", "agent.c")


@functools.cache
def tsc_khz() -> int:
    """What this machine's time stamp counter counts in a millisecond; an emulated node reads the same one."""
    return int(subprocess.run([built("tsc", "tsc.c")], capture_output=True, text=True, check=True).stdout)
