"""Clusters of QEMU nodes, for the test suites and for scripts/cluster."""
# SPDX-License-Identifier: GPL-2.0-only

from .cluster import Cluster
from .errors import ClusterError, CommandFailed, KernelSplat, NodeDied
from .job import Job, Result

__all__ = ["Cluster", "ClusterError", "CommandFailed", "Job", "KernelSplat", "NodeDied", "Result"]
