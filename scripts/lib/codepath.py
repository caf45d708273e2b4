"""Machine code as execution sees it: what runs from a function's entry on, whatever the compiler's layout."""
# SPDX-License-Identifier: GPL-2.0-only

from __future__ import annotations

import re
import subprocess
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

Place = tuple[str, int]  # section and offset

SECTION = re.compile(r"^Disassembly of section (\S+):$")
FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
RELOCATION = re.compile(r"^\s+([0-9a-f]+): (R_X86_64_\S+)\s+(\S+)$")
INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\t(.+)$")
TARGET = re.compile(r"^([0-9a-f]+) <[^>]+>$")
JUMP_ENTRY = re.compile(r"^([0-9a-f]+) (R_X86_64_\S+)\s+(\S+?)([+-]0x[0-9a-f]+)?$")
REGISTER = re.compile(r"%(?!gs\b|fs\b|cr)[a-z0-9]+")
PREFIXES = re.compile(r"^(?:(?:cs|ds|data16|rex\.\w+|notrack|bnd) )+")
ADDRESS = re.compile(r"\b[0-9a-f]+ (<[^>]+>)")
INSIDE = re.compile(r"<([^>+]+)\+0x[0-9a-f]+>")
NUMBER = re.compile(r"-?0x[0-9a-f]+")
DATA = re.compile(r"^(\.\S+?|__\w+)[+-]0x[0-9a-f]+$")
OPPOSITE = {
    "e": "ne", "l": "ge", "g": "le", "b": "ae", "a": "be", "s": "ns", "p": "np", "o": "no",
}  # fmt: skip
OPPOSITE |= {no: yes for yes, no in OPPOSITE.items()}


@dataclass
class Instruction:
    """One, with what it refers to; target of a jump inside the object."""

    place: Place
    text: str
    relocations: list[tuple[str, str]] = field(default_factory=list)
    after: Place | None = None
    target: Place | None = None

    @property
    def mnemonic(self) -> str:
        return self.text.split(" ", 1)[0]

    @property
    def is_nop(self) -> bool:
        return self.mnemonic in ("nop", "nopl", "nopw", "xchg") and (
            self.mnemonic != "xchg" or self.text == "xchg %ax,%ax"
        )

    @property
    def leaves(self) -> bool:
        """The function: to its caller, or to another function that returns there."""
        return self.mnemonic == "ret" or (self.mnemonic == "jmp" and not self.target)

    @property
    def ends(self) -> bool:
        return self.leaves or self.mnemonic in ("ud2", "int3", "iretq")

    def _without_addresses(self) -> str:
        """Where a relocation says what is meant, the text means nothing."""
        return ADDRESS.sub("" if self.relocations else r"\1", self.text)

    def exact(self) -> tuple:
        """The same in two objects when the same bytes would be linked, wherever they and their data lie."""
        return self._without_addresses(), tuple((kind, DATA.sub(r"\1", name)) for kind, name in self.relocations)

    def shape(self) -> tuple:
        """The same when the same is executed: neither registers nor the places of structure members count."""
        text = INSIDE.sub(r"<\1>", self._without_addresses())
        text = NUMBER.sub("N", REGISTER.sub("%r", text)).replace("N(", "(")
        return text, tuple(re.sub(r"[+-]0x.*", "", name) for _, name in self.relocations)


@dataclass
class Object:
    """A disassembled object file."""

    functions: dict[str, list[Instruction]]
    at: dict[Place, Instruction]
    static_jumps: dict[Place, tuple[Place, str]]  # from, to, and the key that decides


def read_object(path: Path) -> Object:
    functions: dict[str, list[Instruction]] = {}
    at: dict[Place, Instruction] = {}
    section, current, last = "", [], None
    for line in run("objdump", "-dr", "--no-show-raw-insn", path):
        if match := SECTION.match(line):
            section, last = match[1], None
        elif match := FUNCTION.match(line):
            current = functions.setdefault(match[2], [])
        elif match := RELOCATION.match(line):
            last.relocations.append((match[2], match[3]))
        elif match := INSTRUCTION.match(line):
            text = PREFIXES.sub("", re.sub(r"\s+", " ", match[2].split("#")[0]).strip())
            place = (section, int(match[1], 16))
            if last:
                last.after = place
            last = at[place] = Instruction(place, text)
            current.append(last)
    for instruction in at.values():
        instruction.target = jump_target(instruction)
    name_functions(functions, at)
    return Object(functions, at, read_jump_table(path))


def name_functions(functions: dict[str, list[Instruction]], at: dict[Place, Instruction]) -> None:
    """References into code sections say where in which function, which does not change when others do."""
    names = {i.place: f"{name}+{i.place[1] - code[0].place[1]:#x}" for name, code in functions.items() for i in code}
    for instruction in at.values():
        for number, (kind, name) in enumerate(instruction.relocations):
            section, sign, offset = name.partition("+")
            if sign and section.startswith(".text") and kind != "R_X86_64_64":
                place = (section, int(offset, 16) + 4)
                instruction.relocations[number] = (kind, names.get(place, name))


def run(*command) -> list[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout.splitlines()


def jump_target(instruction: Instruction) -> Place | None:
    if not instruction.mnemonic.startswith("j"):
        return None
    for kind, name in instruction.relocations:
        section, sign, offset = name.partition("+")
        # Relative to the end of the four bytes, as the addend says.
        return (section, int(offset, 16) + 4) if section.startswith(".") and sign else None
    match = TARGET.match(instruction.text.split(" ", 1)[1])
    return (instruction.place[0], int(match[1], 16)) if match else None


def read_jump_table(path: Path) -> dict[Place, tuple[Place, str]]:
    """Three relocations an entry: the place, where it may jump to, the key."""
    found, in_table, entry = {}, False, []
    for line in run("objdump", "-r", path):
        if line.startswith("RELOCATION RECORDS FOR"):
            in_table = "[__jump_table]" in line
        elif in_table and (match := JUMP_ENTRY.match(line)):
            entry.append((match[3], int(match[4] or "0", 16)))
            if len(entry) == 3:
                found[entry[0]] = (entry[1], entry[2][0])
                entry = []
    return found


class Walk:
    """Steps through an object, with some static keys off for good."""

    def __init__(self, code: Object, off: str):
        self.code = code
        self._off = off

    def next_real(self, place: Place | None) -> Place | None:
        """Skips what does not count: jumps, nops, and the places of the key that is off."""
        seen = set()
        while place and place not in seen:
            seen.add(place)
            instruction = self.code.at.get(place)
            if not instruction:
                return place
            if place in self.code.static_jumps:
                if self.code.static_jumps[place][1] != self._off:
                    return place
                place = instruction.after
            elif instruction.is_nop:
                place = instruction.after
            elif instruction.mnemonic == "jmp" and instruction.target:
                place = instruction.target
            else:
                return place
        return place

    def ways(self, place: Place) -> tuple[tuple, list[Place | None]]:
        """What is executed here, and where it may go on: a condition's own way first, then its opposite's."""
        instruction = self.code.at[place]
        if place in self.code.static_jumps:
            target, key = self.code.static_jumps[place]
            return ("static", key), [target, instruction.after]
        name = instruction.mnemonic
        if name.startswith("j") and name != "jmp":
            condition, ways = name[1:], [instruction.target, instruction.after]
            if condition in OPPOSITE and condition > OPPOSITE[condition]:
                condition, ways = OPPOSITE[condition], ways[::-1]
            return ("j" + condition, instruction.relocations if not instruction.target else ()), ways
        return instruction.shape(), [] if instruction.ends else [instruction.after]

    def shortest(self, entry: Place) -> int | None:
        """Instructions from here to a return on the shortest way: nops are free, jumps are not."""
        best = {entry: 0}
        queue = deque([entry])
        while queue:
            place = queue.popleft()
            instruction = self.code.at.get(place)
            if not instruction:
                continue
            if instruction.leaves:
                return best[place]
            off = self.code.static_jumps.get(place, (None, None))[1] == self._off
            free = instruction.is_nop or off
            ways = [] if instruction.ends else [instruction.after]
            if instruction.target and not off:
                ways = [instruction.target, *(ways if instruction.mnemonic != "jmp" else [])]
            for way in ways:
                cost = best[place] + (not free)
                if way and cost < best.get(way, 1 << 30):
                    best[way] = cost
                    queue.appendleft(way) if free else queue.append(way)
        return None


def first_difference(one: Walk, other: Walk, entry_one: Place, entry_other: Place) -> str | None:
    """None if both execute the same on every way from their entries on; else where they part."""
    todo = [(entry_one, entry_other)]
    seen = set()
    while todo:
        pair = one.next_real(todo[-1][0]), other.next_real(todo.pop()[1])
        if pair in seen:
            continue
        seen.add(pair)
        missing = [place is None or place not in walk.code.at for walk, place in zip((one, other), pair)]
        if all(missing):
            continue
        if any(missing):
            return f"the code ends at {pair}"
        (what, ways), (other_what, other_ways) = one.ways(pair[0]), other.ways(pair[1])
        if what != other_what or len(ways) != len(other_ways):
            return f"{show(one.code, pair[0])} instead of {show(other.code, pair[1])}"
        todo += zip(ways, other_ways)
    return None


def show(code: Object, place: Place) -> str:
    instruction = code.at[place]
    names = "".join(f" {name}" for _, name in instruction.relocations)
    return f"'{instruction.text}{names}' at {place[0]}+{place[1]:#x}"
