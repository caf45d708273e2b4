"""Large programs that bring threads, runtimes and processes of their own: the same result shared as natively."""
# SPDX-License-Identifier: GPL-2.0-only

import re
import subprocess
from dataclasses import dataclass

import pytest
from harness.paths import BUILD, ROOT
from sharing import PROGRAMS

pytestmark = pytest.mark.long
HERE = ROOT / "tests/programs/large"
OUT = BUILD / "large"
WORK = "/tmp/large"
SUBCMD = BUILD / "linux/tools/lib/subcmd"
# A second of moving pictures, in a format that says how many threads may make it.
PICTURES = "ffmpeg -v error -f lavfi -i testsrc2=size=320x240:rate=10:duration=2"
PYTHON = "/usr/bin/python3 -m test.regrtest -v"


@dataclass(frozen=True)
class Large:
    """What is run in an empty directory, for how long at most, and how those lines begin that must be the same."""

    command: str
    timeout: float = 600
    said: str = ".*"
    before: str = ":"  # natively

    def observed(self, result) -> tuple:
        """Its status, and what it said; tests may end in another order, or take another time."""
        lines = [found[0] for line in result.stdout.splitlines() if (found := re.match(self.said, line))]
        return result.returncode, lines if self.said == ".*" else sorted(lines)


def as_user(name: str, script: str) -> str:
    """Servers refuse to be root; the directory becomes theirs."""
    return f"chown {name} {WORK} && setpriv --reuid={name} --regid={name} --init-groups sh {HERE}/{script}"


def python(tests: str) -> Large:
    """
    Threads that hand the interpreter's one lock around: all its pages travel with that, so these are few tests.
    What a test says of itself may be how long it took; how many failed or were skipped is said at the end.
    """
    return Large(f"{PYTHON} {tests}", 1800, r"test\w* \(.*\) \.\.\. |(OK|FAILED).*")


DATABASE = as_user("postgres", "database.sh")
CASES = {
    "java": Large(f"java -Xmx96m -cp {OUT} Threads", 1800),
    "node": Large(f"node {HERE}/workers.js", 1200),
    "go": Large(f"{OUT}/goroutines"),
    "perl": Large(f"perl {HERE}/threads.pl"),
    "ruby": Large(f"ruby {HERE}/threads.rb"),
    "erlang": Large(f"HOME={WORK} erl -noshell -pa {OUT} -s processes", 1800),
    "lisp": Large(f"sbcl --script {HERE}/threads.lisp", 1200),
    "valgrind": Large(f"valgrind -q --error-exitcode=9 {PROGRAMS}/threads 3 1"),
    "address-sanitizer": Large(f"{OUT}/threads-address 3 1"),
    "thread-sanitizer": Large(f"{OUT}/threads-thread 3 1"),
    "ffmpeg": Large(f"{PICTURES} -c:v libx264 -preset fast -threads 4 -f md5 -"),
    "x264": Large(f"{PICTURES} -f yuv4mpegpipe - | x264 --quiet --threads 4 --preset fast --demuxer y4m -o out -; md5sum out"),
    "git": Large(f"sh {HERE}/repository.sh {WORK}"),
    "make": Large(f"make -s -j3 -C {SUBCMD} O={WORK} && md5sum *.o *.a fixdep", 1800),
    "initdb": Large(f"{DATABASE} make {WORK}", 1800),
    "postgresql": Large(f"{DATABASE} use {WORK}", 1800, before=f"{DATABASE} make {WORK}"),
    "mariadb": Large(f"{as_user('mysql', 'mariadb.sh')} {WORK}", 1800),
    "python-threads": python("test_thread test_threading_local test_threadedtempfile"),
    "python-locks": python("-m '*.LockTests.*' -m '*.ConditionTests.*' -m '*.EventTests.*' -m '*.ThreadJoinOnShutdown.*' test_threading"),
    "python-signals": python("test_threadsignals"),
    "python-queue": python("-m '*CSimpleQueueTest*' test_queue"),
    "python-futures": python("-m '*ThreadPoolWaitTests*' -m '*ThreadPoolAsCompletedTests*' test_concurrent_futures"),
}  # fmt: skip


@pytest.fixture(scope="session")
def compiled():
    OUT.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-d", OUT, HERE / "Threads.java"], check=True)
    for kind in ("address", "thread"):
        source, output = HERE.parent / "threads.c", OUT / f"threads-{kind}"
        subprocess.run(["gcc", "-g", "-O1", "-pthread", f"-fsanitize={kind}", source, "-o", output], check=True)
    subprocess.run(["erlc", "-o", OUT, HERE / "processes.erl"], check=True)
    subprocess.run(["go", "build", "-o", OUT / "goroutines", HERE / "goroutines.go"], check=True)


@pytest.fixture(scope="session")
def native():
    """What each gives natively, found once."""
    return {}


def begin(sharing, program: Large) -> str:
    sharing.native(f"rm -rf {WORK} && mkdir {WORK} && cd {WORK} && {program.before}", check=True)
    return f"cd {WORK} && {program.command}"


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("policy", ("spread", "away"))
@pytest.mark.parametrize("name", CASES)
def test_same_as_natively(compiled, sharing, native, name, policy):
    program = CASES[name]
    if name not in native:
        result = sharing.native(begin(sharing, program), timeout=program.timeout)
        native[name] = program.observed(result)
        assert native[name][0] == 0 and native[name][1], result.stdout[-2000:] + result.stderr[-2000:]
    outcome = sharing.run(begin(sharing, program), policy, timeout=program.timeout)
    assert program.observed(outcome) == native[name], outcome.stdout[-4000:] + outcome.stderr[-4000:]
    assert sum(outcome.arrivals.values()) > 0, "no thread ever left home"
