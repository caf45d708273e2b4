"""The kernel's own selftests, and stress-ng: which programs are run, how they are built, and what they say."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.paths import BUILD, ROOT

TREE = BUILD / "linux"
OUT = BUILD / "upstream"
LIST = ROOT / "tests/upstream.toml"
VERDICT = re.compile(r"^(ok|not ok) \d+(?: -)? ?([^\n]*)$", re.MULTILINE)
# stress-ng's: its status, and what it found wrong; and its directory in the list.
STRESS_VERDICT = re.compile(r"^stress-ng: (fail): +\[\d+\] (.*)$", re.MULTILINE)
STRESS = "stress-ng"
SECONDS = 60  # natively; shared, three times as long
# What differs from run to run.
VARIABLE = re.compile(r"\s*#(?! SKIP).*|0x[0-9a-f]+|\d+")


@dataclass(frozen=True)
class Program:
    directory: str
    command: str
    differs: str  # why its verdict may differ when it is shared; empty: it must not
    timeout: float

    @property
    def name(self) -> str:
        return f"{self.directory}/{self.command}"

    def shell(self) -> str:
        if self.directory == STRESS:
            return f"exec stress-ng --verify --timeout 3 --{self.command} 2"
        return f"cd {OUT}/kselftest/{self.directory} && exec ./{self.command}"


def directories(table: dict, prefix: str = "") -> Iterator[tuple[str, dict]]:
    for name, value in table.items():
        if "programs" in value:
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from directories(value, f"{prefix}{name}/")


def programs() -> list[Program]:
    listed = []
    for directory, table in directories(tomllib.loads(LIST.read_text())):
        differs, timeouts = table.get("differs", {}), table.get("seconds", {})
        for command in table["programs"]:
            listed.append(Program(directory, command, differs.get(command, ""), timeouts.get(command, SECONDS)))
    return listed


def build_changed(headers: Path) -> None:
    """What is built from a source with some words changed, and why, is in the list."""
    for directory, table in directories(tomllib.loads(LIST.read_text())):
        sources = TREE / "tools/testing/selftests" / directory
        for name, changes in table.get("changed", {}).items():
            text = (sources / f"{name}.c").read_text()
            for words, others in changes.items():
                assert words in text, f"{name}.c has no {words!r}"
                text = text.replace(words, others)
            copy = OUT / f"{name}.c"
            copy.write_text(text)
            command = ["gcc", "-O2", "-D_GNU_SOURCE", "-pthread", "-isystem", headers / "usr/include"]
            command += ["-I.", "-I../include", "-I../..", copy, "-o", OUT / "kselftest" / directory / name, "-lrt"]
            subprocess.run(command, cwd=sources, check=True)


def build() -> None:
    """Some of a directory's programs may need what is not there: what is listed must come out of it."""
    headers = BUILD / "selftests-headers"
    kernels = [program for program in programs() if program.directory != STRESS]
    targets = " ".join(sorted({program.directory.split("/")[0] for program in kernels}))
    OUT.mkdir(exist_ok=True)
    with open(OUT / "build.log", "w") as log:
        for command in (
            ["make", "-C", TREE, f"O={headers}", "headers"],
            ["make", "-k", "-C", TREE / "tools/testing/selftests", f"O={OUT}", f"TARGETS={targets}",
             f"KHDR_INCLUDES=-isystem {headers}/usr/include"],
        ):  # fmt: skip
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    build_changed(headers)
    missing = {p.name for p in kernels if not (OUT / "kselftest" / p.directory / p.command.split()[0]).exists()}
    assert not missing, f"not built: {sorted(missing)}, see {OUT / 'build.log'}"


def verdicts(output: str, status: int) -> dict[str, str]:
    """What each test of a program came to, by its name without numbers; and how the program ended."""
    found: dict[str, str] = {}
    for word, rest in STRESS_VERDICT.findall(output) + VERDICT.findall(output):
        name = VARIABLE.sub("", rest).removeprefix("# SKIP").strip()
        while name in found:
            name += "'"
        found[name] = "skip" if "# skip" in rest.lower() else word
    # A shared program is started by another one, which says it as shells do.
    found["status"] = str(status if status >= 0 else 128 - status)
    return found


def compare(native: dict[str, str], shared: dict[str, str]) -> list[str]:
    names = sorted(native.keys() | shared.keys())
    return [f"{n or '-'}: {native.get(n)}, shared {shared.get(n)}" for n in names if native.get(n) != shared.get(n)]
