"""Long torture: moving after every millisecond, bad networks, many programs at once."""
# SPDX-License-Identifier: GPL-2.0-only

import random

import pytest
from sharing import HOME, PROGRAMS, poll
from test_memory import KEYS, MAPPINGS, MEMORY, OBJECTS, READONLY, SHARED
from test_signals import EXCEPTIONS
from test_signals import PARTS as SIGNALS
from test_threads import SYNC, TREE

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

EVERYTHING = [
    *(("memory", part) for part in MEMORY), *(("mappings", part) for part in MAPPINGS),
    *(("shared", part) for part in SHARED), *(("objects", part) for part in OBJECTS),
    *(("readonly", part) for part in READONLY), *(("keys", part) for part in KEYS),
    *(("sync", part) for part in SYNC), *(("tree", part) for part in TREE), *(("signals", part) for part in SIGNALS),
    *(("exceptions", part) for part in EXCEPTIONS),
]  # fmt: skip


@pytest.mark.parametrize("program, part", EVERYTHING)
def test_bounce_after_every_millisecond(sharing, program, part):
    sharing.part(program, part, "bounce:1", timeout=600)


@pytest.mark.parametrize("link", ["delay=5ms", "loss=2%", "delay=2ms,loss=1%,dup=1%"])
def test_bad_network(make_cluster, share, link):
    sharing = share(make_cluster(nodes=3, link=link))
    for policy in ("spread", "away", "bounce:10"):
        for program, part in (("memory", "sharing"), ("sync", "cond"), ("mappings", "munmap"), ("signals", "storm")):
            sharing.part(program, part, policy, timeout=600)


@pytest.mark.parametrize("seed", range(3))
def test_many_programs_at_once(sharing, seed):
    """Eight at a time in a random mix; what each says does not depend on the others."""
    choice = random.Random(seed)
    for _ in range(4):
        chosen = [(*choice.choice(EVERYTHING), choice.choice(["spread", "away", "bounce:5"])) for _ in range(8)]
        jobs = [sharing.start([f"{PROGRAMS}/{program}", part], policy) for program, part, policy in chosen]
        for job, (_, part, _) in zip(jobs, chosen):
            result = job.wait(600)
            assert (result.returncode, result.stdout) == (0, f"{part}: right\n"), result.stderr


def test_moved_at_random(sharing):
    """A program is told to move again and again, to any node, often before it has arrived."""
    choice = random.Random(1)
    job = sharing.start([f"{PROGRAMS}/registers", "4", "1000000"], "home")
    pid = job.wait_started()
    poll("it is shared", lambda: sharing.where(pid))
    for _ in range(200):
        assert sharing.migrate(pid, choice.choice(["home", 1, 2])).returncode == 0
        assert job.poll() is None, job.stderr
    sharing.move(pid, HOME)
    job.send_signal(10)
    assert job.wait(120, check=True).stdout.startswith("registers of 4 threads are right")


@pytest.mark.parametrize("policy", ["away", "bounce:5"])
def test_build_with_make(sharing, policy):
    """A parallel build: many short processes, files and pipes."""
    sharing.native("rm -rf /tmp/build && mkdir /tmp/build", check=True)
    makefile = ".PHONY: all\nall: $(addsuffix .o,1 2 3 4)\n%.o:\n\techo 'int f(int x) { return x * $*; }' | gcc -O2 -c -x c -o $@ -\n"
    sharing.native("cat >/tmp/build/Makefile", stdin=makefile, check=True)
    outcome = sharing.run("cd /tmp/build && make -j4", policy, timeout=900)
    assert outcome.returncode == 0, outcome.stderr
    assert sharing.native("cd /tmp/build && nm 1.o 2.o 3.o 4.o | grep -c ' T f'").stdout == "4\n"
