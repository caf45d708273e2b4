"""What can go wrong with a cluster; every message is one line that names the log or the remedy."""
# SPDX-License-Identifier: GPL-2.0-only


class ClusterError(Exception):
    """The cluster could not be set up or used."""


class NodeDied(ClusterError):
    """A node's QEMU ended although nobody asked for it."""


class KernelSplat(ClusterError):
    """A node's kernel warned, oopsed or reported a broken rule."""


class CommandFailed(ClusterError):
    """A command that had to succeed did not."""
