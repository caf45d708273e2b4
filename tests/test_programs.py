"""Everyday multi-threaded programs, unmodified, spread over three nodes: the same output and status as natively."""
# SPDX-License-Identifier: GPL-2.0-only

import re
from dataclasses import dataclass

import pytest
from harness.paths import ROOT
from sharing import POLICIES, PROGRAMS

HERE = ROOT / "tests" / "programs"
WORK = "/tmp/work"
# Real data, enough for a few blocks of each compressor: the interpreter's own machine code.
PREPARE = f"mkdir -p {WORK} && cd {WORK} && [ -f data ] || {{ head -c 1500000 /usr/bin/python3.11 >data; head -c 300000 data >small; }}"


@dataclass(frozen=True)
class Program:
    command: str
    outputs: str = ""  # files whose contents must be the same
    said: str = ".*"  # the lines of its output that must be the same: others tell the time
    cpu_bound: bool = False
    tortured: str = ""  # what policy bounce gets instead: little to do, in little memory

    def command_under(self, policy: str) -> str:
        return self.tortured if self.tortured and policy.startswith("bounce") else self.command


CASES = {
    "pigz": Program("pigz -p 4 -b 128 -n -k -f data", "data.gz", cpu_bound=True, tortured="pigz -p 4 -b 128 -n -c small >data.gz"),
    "xz": Program(
        "xz -T4 --block-size=256KiB -2 -k -f data", "data.xz", cpu_bound=True,
        tortured="xz -T4 --block-size=64KiB --lzma2=preset=0,dict=64KiB -c small >data.xz",
    ),
    "zstd": Program("zstd -T4 -B512KiB -12 -f -q data -o data.zst", "data.zst", cpu_bound=True, tortured="zstd -T4 -B512KiB -1 -f -q data -o data.zst"),
    "pbzip2": Program("pbzip2 -p4 -b3 -k -f data", "data.bz2", cpu_bound=True, tortured="pbzip2 -p4 -1 -b1 -c small >data.bz2"),
    "7z": Program(
        "7z a -mmt=4 -mx=3 -m0=lzma2:d=256k:c=512k -bd data.7z data", "data.7z", "Everything.*|Archive size.*", cpu_bound=True,
        tortured="7z a -mmt=4 -mx=1 -m0=lzma2:d=64k -bd data.7z small",
    ),
    "sysbench-cpu": Program(
        "sysbench cpu --cpu-max-prime=4000 --threads=4 --events=800 --time=0 run",
        said=".*(total number of events|Prime numbers limit|Number of threads).*", cpu_bound=True,
    ),
    "sysbench-threads": Program(
        "sysbench threads --threads=4 --thread-yields=20 --thread-locks=2 --events=100 --time=0 run",
        said=".*total number of events.*",
    ),
    "sysbench-mutex": Program(
        "sysbench mutex --threads=4 --mutex-num=8 --mutex-locks=100 --mutex-loops=500 run",
        said=".*total number of events.*",
    ),
    "sysbench-memory": Program(
        "sysbench memory --threads=4 --memory-block-size=64K --memory-total-size=16M --time=0 run",
        said=".*total number of events.*",
    ),
    "stress-ng-pthread": Program("stress-ng --pthread 1 --pthread-max 8 --pthread-ops 40 --verify", said=""),
    "stress-ng-futex": Program("stress-ng --futex 2 --futex-ops 100 --verify", said=""),
    # Limited by time: limited by operations, stress-ng often fails natively on one processor, too.
    "stress-ng-mutex": Program("stress-ng --mutex 1 --timeout 2 --verify", said=""),
    "stress-ng-switch": Program("stress-ng --switch 2 --switch-ops 100 --verify", said=""),
    "openmp": Program(f"{PROGRAMS}/openmp 4", cpu_bound=True),
    "c++": Program(f"{PROGRAMS}/atomics 4", cpu_bound=True),
    "python": Program(f"python3 -IS {HERE}/files.py"),
    "bash": Program(f"bash {HERE}/pipeline.sh"),
}  # fmt: skip


# Under bounce without --long: the others take minutes together.
BOUNCED = ("pigz", "zstd", "openmp", "c++")


def every_program_under_every_policy():
    for name in CASES:
        for policy in POLICIES:
            long = policy.startswith("bounce") and name not in BOUNCED
            yield pytest.param(name, policy, marks=[pytest.mark.long] if long else [])


def observed(program: Program, result, files: str) -> tuple:
    said = [line for line in result.stdout.splitlines() if re.fullmatch(program.said, line)]
    return result.returncode, said, files


def run_one(sharing, program: Program, policy: str, run) -> tuple:
    """What one run gives, and the run; it starts from the same files each time."""
    sharing.native(f"cd {WORK} && rm -f {program.outputs} none", check=True)
    result = run(f"cd {WORK} && exec {program.command_under(policy)}")
    files = sharing.native(f"cd {WORK} && md5sum {program.outputs}", check=True).stdout if program.outputs else ""
    return observed(program, result, files), result


@pytest.fixture(scope="session")
def native():
    """What commands give natively, each found once."""
    return {}


def run_natively(sharing, native, program: Program, policy: str) -> tuple:
    command = program.command_under(policy)
    if command not in native:
        found, result = run_one(sharing, program, policy, sharing.native)
        assert result.returncode == 0, result.stderr
        assert program.said == "" or found[1:] != ([], ""), f"nothing to compare in {result.stdout}"
        native[command] = found
    return native[command]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name, policy", every_program_under_every_policy())
def test_same_as_natively(sharing, native, name, policy, request):
    program = CASES[name]
    sharing.native(PREPARE, check=True)
    expected = run_natively(sharing, native, program, policy)
    # Once more with what the first run has left on the nodes.
    for _ in range(2 if request.config.getoption("--long") else 1):
        found, outcome = run_one(sharing, program, policy, lambda command: sharing.run(command, policy, timeout=240))
        assert found == expected, outcome.stderr
        assert sum(outcome.arrivals.values()) > 0, "no thread ever left home"
        if program.cpu_bound and policy == "away":
            assert outcome.remote_share >= 0.9, outcome.verdict()
