"""The suites that scripts/test runs; each returns what it counted and leaves a log."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"
TREE = Path(os.environ.get("KTREE_DIR", BUILD / "linux"))
C_SUFFIXES = (".c", ".h", ".cc", ".hpp")
SELFTESTS = "tools/testing/selftests/procshare"
SELFTESTS_OUT = BUILD / "selftests"
KSFT_SKIP = 4

sys.path.insert(0, str(ROOT / "tests"))
from harness import Cluster, ClusterError  # noqa: E402
from harness.tap import Counts, parse, planned  # noqa: E402
from resume import Record  # noqa: E402


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    name: str | None = None
    long: bool = False
    record: Record | None = None  # of a long run: what passed before is not run again


def say(message: str) -> None:
    print(f"test: {message}", flush=True)


def run_logged(label: str, command: list[str], log: Path | None = None) -> bool:
    """Runs with its output in a log, showing the last line of it every now and then."""
    log = log or LOGS / f"{label}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=ROOT)
        shown = time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if time.monotonic() - shown > 15:
                    shown = time.monotonic()
                    say(f"{label}: {last_line(log)}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
    return process.returncode == 0


def last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line[:110] for line in reversed(lines) if line.strip()), "started")


def step(label: str, command: list[str]) -> Counts:
    """Something that only works or fails; what it prints goes to the terminal as it comes."""
    counts = Counts()
    done = subprocess.run(command, cwd=ROOT)
    counts.add("passed" if done.returncode == 0 else "failed", label)
    return counts


def junit(path: Path, label: str) -> Counts:
    counts = Counts()
    if not path.exists():
        counts.add("failed", f"{label}: no results, see {LOGS / label}.log")
        return counts
    for case in xml.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        bad = kinds & {"failure", "error"} or case.get("status") == "fail"
        verdict = "failed" if bad else "skipped" if "skipped" in kinds else "passed"
        counts.add(verdict, f"{label}: {case.get('classname', '')}.{case.get('name')}")
    return counts


def hygiene(options: Options) -> Counts:
    """What reads the sources instead of running them."""
    counts = Counts()
    shell = [str(p) for p in sorted((ROOT / "scripts").rglob("*")) if p.is_file() and is_shell(p)]
    ours = [str(p) for part in ("userland", "tests") for p in sorted((ROOT / part).rglob("*")) if p.suffix in C_SUFFIXES]
    checks = {
        "patches": ["scripts/ktree", "check"],
        "shellcheck": ["shellcheck", "-x", "-S", "warning", *shell],
        "syscall-table": ["scripts/syscall-table", "--check"],
        "protocol-version": ["scripts/lib/protocol-version"],
        "clang-format": ["clang-format", "--dry-run", "--Werror", *ours],
    }
    for name, command in checks.items():
        if options.name is None or options.name in name:
            verdict = "passed" if run_logged(f"hygiene-{name}", command) else "failed"
            counts.add(verdict, f"hygiene: {name}, see build/test-logs/hygiene-{name}.log")
    return counts


def is_shell(path: Path) -> bool:
    return path.suffix == ".sh" or path.read_bytes()[:64].split(b"\n")[0] in (b"#!/bin/sh", b"#!/bin/bash")


def cost(options: Options) -> Counts:
    """What is not used costs nothing: compares machine code, all of it or nothing."""
    if options.name and options.name not in "cost":
        return Counts()
    run_logged("cost", ["scripts/zero-cost"])
    text = (LOGS / "cost.log").read_text()
    counts = parse(text, prefix="cost: ")
    seen = counts.passed + len(counts.failures)
    if not seen or planned(text) != seen:
        counts.add("failed", "cost: ended early, see build/test-logs/cost.log")
    return counts


def gtest(options: Options) -> Counts:
    if not (BUILD / "userland/CTestTestfile.cmake").exists():
        return Counts()
    results = LOGS / "gtest.xml"
    results.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", str(BUILD / "userland"), "--output-junit", str(results), "--output-on-failure", "--parallel", str(os.cpu_count())]
    command += ["-C", "long"] if options.long else []
    run_logged("gtest", command + (["-R", options.name] if options.name else []))
    return junit(results, "gtest")


def kunit(options: Options) -> Counts:
    """Unit tests inside the kernel run at boot, before process 1, and report on the console."""
    pattern = f" kunit.filter_glob=*{options.name}*" if options.name else ""
    cluster = Cluster(nodes=1, join=False, append=f"kunit.enable=1{pattern} loglevel=7")
    try:
        with cluster:
            text = cluster.console(0)
    except ClusterError as error:
        counts = Counts(failures=[f"kunit: {error}"])
        if cluster.nodes:
            counts.merge(parse(cluster.console(0), depth=1, prefix="kunit: "))
        return counts
    return parse(text, depth=1, prefix="kunit: ")


def kselftest(options: Options) -> Counts:
    """Tests of the kernel's behaviour, run inside a cluster."""
    counts = Counts()
    if not build_selftests():
        return Counts(failures=["kselftest: does not build, see build/test-logs/kselftest-build.log"])
    programs = [name for name in list_selftests() if not options.name or options.name in name]
    if not programs:
        return counts if options.name else Counts(failures=["kselftest: there are no tests"])
    try:
        with Cluster(nodes=3) as cluster:
            before = cluster.leaks()
            for program in programs:
                counts.merge(run_selftest(cluster, SELFTESTS_OUT / program))
            leaked = before.leaked_since(settle=15)
            counts.add("failed" if leaked else "passed", "; ".join(["kselftest: leaks", *leaked]))
    except ClusterError as error:
        counts.add("failed", f"kselftest: {error}")
    return counts


def build_selftests() -> bool:
    """All anew: a program whose source is gone must not be run, nor an old one whose source does not compile."""
    shutil.rmtree(SELFTESTS_OUT, ignore_errors=True)
    SELFTESTS_OUT.mkdir(parents=True)
    headers = BUILD / "selftests-headers"
    arguments = f"OUTPUT={SELFTESTS_OUT} KHDR_INCLUDES='-isystem {headers}/usr/include'"
    command = f"make -C {TREE} O={headers} headers && CFLAGS=-Werror make -C {TREE}/{SELFTESTS} {arguments}"
    return run_logged("kselftest-build", ["sh", "-c", command])


def list_selftests() -> list[str]:
    """As the Makefile lists them, built or not."""
    command = ["make", "-s", "-C", str(TREE / SELFTESTS), "COLLECTION=procshare", "emit_tests"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.partition(":")[2] for line in listed.splitlines() if line.startswith("procshare:")]


def run_selftest(cluster: Cluster, program: Path) -> Counts:
    """One program; that it ends without having said what it announced is a failure, too."""
    say(f"kselftest: {program.name}")
    label = f"kselftest: {program.name}"
    try:
        result = cluster.run([str(program)], timeout=300)
    except TimeoutError as error:
        return Counts(failures=[f"{label}: {error}"])
    (LOGS / f"kselftest-{program.name}.log").write_text(result.stdout + result.stderr)
    counts = parse(result.stdout, prefix=f"{label}: ")
    seen = counts.passed + counts.skipped + len(counts.failures)
    if not seen or planned(result.stdout) != seen:
        counts.add("failed", f"{label}: status {result.returncode} after {seen} of {planned(result.stdout)} tests")
    elif result.returncode not in (0, KSFT_SKIP) and not counts.failures:
        counts.add("failed", f"{label}: status {result.returncode} although every test passed")
    return counts


def run_pytest(label: str, options: Options, *arguments: str, environment: tuple[str, ...] = ()) -> Counts:
    results = LOGS / f"{label}.xml"
    results.unlink(missing_ok=True)
    command = ["env", *environment, sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--durations=40", "tests"]
    command += ["--junitxml", str(results), *arguments]
    command += ["-k", options.name] if options.name else []
    command += ["--long"] if options.long else []
    earlier = 0
    if options.record:
        passed = options.record.tests_of(label)
        earlier = len(passed.read_text().splitlines()) if passed.exists() else 0
        command += ["--passed-before", str(passed)]
    if earlier:
        say(f"{label}: {earlier} tests passed in an earlier run of this tree, which did not finish")
    run_logged(label, command)
    counts = junit(results, label)
    counts.passed += earlier
    return counts


def pytest(options: Options) -> Counts:
    """Programs shared over clusters."""
    return run_pytest("pytest", options)


def debug(options: Options) -> Counts:
    """The five-minute subset of the cluster tests, on the kernel with every checker."""
    kernel = BUILD / "kernel-debug"
    environment = (f"PROCSHARE_KERNEL={kernel}", "PROCSHARE_SLOWNESS=6")
    subset = () if options.long else ("-m", "quick")
    return run_pytest("debug", options, *subset, "--timeout=1800", environment=environment)
