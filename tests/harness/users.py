"""Whose rights and environment a command on a node gets."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import pwd

from . import paths
from .errors import ClusterError


def _entry(user: str | None) -> pwd.struct_passwd:
    # The nodes share the host's /etc/passwd, so the host may look it up.
    try:
        return pwd.getpwnam(user or "root")
    except KeyError:
        raise ClusterError(f"no user {user} on this machine: adduser --disabled-password {user}") from None


def as_user(command: str | list[str], user: str) -> list[str]:
    entry = _entry(user)
    argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups", "--", *argv]


def environment(user: str | None) -> dict[str, str]:
    entry = _entry(user)
    return {
        "PATH": paths.PATH,
        "MANPATH": paths.MANPATH,
        "HOME": entry.pw_dir,
        "USER": entry.pw_name,
        "LOGNAME": entry.pw_name,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }
