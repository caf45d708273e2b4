"""Tracers at home see what threads do on other nodes."""
# SPDX-License-Identifier: GPL-2.0-only

import signal

from sharing import HOME, PROGRAMS, poll

TRACING = "/sys/kernel/tracing"
PROGRAM = f"{PROGRAMS}/probed"
SET = """set -e
cd {tracing}
echo "p:probed {program}:0x$(nm {program} | awk '$3 == "probed" {{ print $1 }}')" >uprobe_events
echo 1 >events/uprobes/probed/enable
"""
CLEAR = "cd {tracing} && echo 0 >events/uprobes/probed/enable && echo >uprobe_events"


def hits(sharing) -> int:
    return int(sharing.native(f"cat {TRACING}/uprobe_profile", check=True).stdout.split()[-1])


def test_uprobe_is_hit_by_threads_that_are_away(sharing):
    """It is set while they have its page, and they come home for it; when it is gone they stay away again."""
    job = sharing.start([PROGRAM], "away")
    pid = job.wait_started()
    poll("no thread is at home", lambda: HOME not in sharing.where(pid))
    sharing.native(SET.format(tracing=TRACING, program=PROGRAM), check=True)
    try:
        poll("each thread has hit it", lambda: hits(sharing) > 10)
    finally:
        sharing.native(CLEAR.format(tracing=TRACING), check=True)
    poll("no thread is at home", lambda: HOME not in sharing.where(pid))
    job.send_signal(signal.SIGTERM)
    assert job.wait(30).returncode == -signal.SIGTERM
