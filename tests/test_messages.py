"""What the protocol's table says a fault costs is what real nodes send: every message of every row, counted."""
# SPDX-License-Identifier: GPL-2.0-only

import re
from collections import Counter
from dataclasses import dataclass

import pytest
from harness import Cluster
from harness.tracing import Tracing
from sharing import HOME, PROGRAMS, Sharing

NODES = 8
PAGES = 16  # of each script
KILOBYTES = 8192  # of each node's events
MARK = re.compile(r"tracing_mark_write: (\d+) (\d+)$")
EVENT = re.compile(
    r"procshare_coherence_(?P<way>send|receive): .*address=(?P<address>\w+) type=(?P<type>\w+) from=(?P<sender>\d+) "
    r"to=(?P<receiver>\d+) .*flags=(?P<flags>\S*) epoch=(?P<epoch>\d+) .*page=(?P<page>[01])$"
)


@dataclass(frozen=True)
class Row:
    """The last step of the script is the fault; what it costs for one page: messages by type, pages of data."""

    name: str
    script: str
    messages: dict[str, int]
    data: int

    def __str__(self) -> str:
        return f"{self.name}: {self.script}"


def readers(first: int, last: int) -> str:
    return " ".join(f"{node}r" for node in range(first, last + 1))


def granted(others: int = 0) -> dict[str, int]:
    """Home answers itself; the other holders' acknowledgements go to the requester: 2 + 2c."""
    return {"GET": 1, "GRANT": 1, "INV": others, "ACK": others}


def forwarded(others: int = 0) -> dict[str, int]:
    """The owner or source answers, which is one of the 1 + others holders: 4, or 2 + 2c."""
    return {"GET": 1, "FWD": 1, "GRANT": 1, "DONE": 1, "INV": others, "ACK": others}


def recalled(others: int = 0) -> dict[str, int]:
    """Home wants the page of the owner or source: 2, or 2c."""
    return {"FWD": 1, "GRANT": 1, "INV": others, "ACK": others}


def discarded(holders: int) -> dict[str, int]:
    """What home only wants the others to lose: 2c."""
    return {"INV": holders, "ACK": holders}


def few_rows() -> list[Row]:
    """Those where nothing but the kind of the fault matters."""
    return [
        Row("remote read, home valid", "0w 1r", granted(), 1),
        Row("remote read, never touched", "1r", granted(), 0),
        Row("remote read, home valid again", "1w 0r 2r", granted(), 1),
        Row("remote read, another node is owner", "1w 2r", forwarded(), 1),
        Row("remote read, another node is owner", "0w 1w 2r", forwarded(), 1),
        Row("remote write, no other copy", "0w 1w", granted(), 1),
        Row("remote write, never touched", "1w", granted(), 0),
        Row("remote write behind a read, never touched", "1r 1w", {}, 0),
        Row("remote write, sole sharer", "0w 1r 1w", granted(), 0),
        Row("remote write, sole sharer, home has read it", "1w 0r 1w", granted(), 0),
        Row("remote write, another node owns", "1w 2w", forwarded(), 1),
        Row("home write, owned", "1w 0w", recalled(), 1),
        Row("home write, owned, has been read", "1w 0r 0w", discarded(1), 0),
        Row("home write, nobody has it any more", "1w 0w 0w", {}, 0),
        Row("home read, owned", "1w 0r", recalled(), 1),
        Row("home read, valid", "0w 1r 0r", {}, 0),
        Row("discard, owned", "0w 1w 0d", discarded(1), 0),
        Row("discard, owned, by a remote thread", "0w 1w 2d", discarded(1), 0),
        Row("discard, by the owner", "0w 1w 1d", discarded(1), 0),
        Row("discard, unmapped", "0w 1w 0u", discarded(1), 0),
        Row("migratory, remote read, home valid", "0w 1r 1w 0r 0w 2r", granted(), 1),
        Row("migratory, remote read, owned", "0w 1r 1w 2r", forwarded(), 1),
        Row("migratory, and then the write", "0w 1r 1w 2r 2w", {}, 0),
        Row("migratory, home read", "0w 1r 1w 0r", recalled(), 1),
        Row("migratory, and then home's write", "0w 1r 1w 0r 0w", {}, 0),
        Row("no longer migratory once it is only read", "0w 1r 1w 2r 3r 4r 3r", {}, 0),
        Row("no longer migratory once home only reads it", "0w 1r 1w 0r 1r 0r", {}, 0),
        Row("shared memory, remote read, home valid", "shared 0w 1r", granted(), 1),
        Row("shared memory, remote write", "shared 0w 1w", granted(), 1),
        Row("shared memory, another node owns", "shared 1w 2w", forwarded(), 1),
        Row("shared memory, home write, owned", "shared 1w 0w", recalled(), 1),
        Row("shared memory, recalled, not discarded", "shared 1w 0d", recalled(), 1),
        Row("shared memory, recalled, not discarded", "shared 1w 2r 3r 0u", recalled(2), 1),
    ]


def many_rows(c: int) -> list[Row]:
    """Those with c other holders; home's copy is valid, or it is stale and node 1 the source."""
    valid, stale = f"0w {readers(1, c)}", f"0w 1w {readers(2, c)}"
    rows = [
        Row(f"remote read, home valid, {c} sharers", f"{valid} {c + 1}r", granted(), 1),
        Row(f"remote write, {c} sharers", f"{valid} {c + 1}w", granted(c), 1),
        Row(f"remote write, {c} other sharers", f"{valid} {c + 1}r {c + 1}w", granted(c), 0),
        Row(f"remote write, {c} other sharers, stale", f"{stale} {c + 1}r {c + 1}w", granted(c), 0),
        Row(f"remote write by the source, {c} other sharers", f"1w {readers(2, c + 1)} 1w", granted(c), 0),
        Row(f"home write, {c} sharers", f"{valid} 0w", discarded(c), 0),
        Row(f"discard, {c} holders", f"{valid} 0d", discarded(c), 0),
    ]
    if c > 1:
        rows += [
            Row(f"remote read, source and {c - 1} sharers", f"{stale} {c + 1}r", forwarded(), 1),
            Row(f"remote write, {c} sharers, stale", f"{stale} {c + 1}w", forwarded(c - 1), 1),
            Row(f"home write, {c} sharers, stale", f"{stale} 0w", recalled(c - 1), 1),
            Row(f"home read, {c} sharers, stale", f"{stale} 0r", recalled(), 1),
            Row(f"discard, {c} holders, stale", f"{stale} 0d", discarded(c), 0),
        ]
    return rows


ROWS = few_rows() + [row for c in (1, 2, 3, NODES - 2) for row in many_rows(c)]


class Trace:
    """What all nodes sent during the scripts. Home's own trace is in order and says which transaction belongs to
    which step: every one has its epoch, which what the others say to each other about it carries, too."""

    def __init__(self, texts: dict[int, str], memory: list[range]):
        self.sent = Counter()  # (script, step), type
        self.data = Counter()  # (script, step)
        self.all = Counter()  # type, from, to; of all pages, whoever touched them
        self.pages_in = Counter()  # node; pages of zeros, too, which are not sent
        self.pages_out = Counter()
        self.strays = []  # about pages whose script was over, or of no transaction
        self._memory = memory
        self._step = None
        self._epochs: dict[int, tuple[int, int]] = {}
        for node in sorted(texts, key=lambda node: node != HOME):
            for line in texts[node].splitlines():
                if (mark := MARK.search(line)) and node == HOME:
                    self._step = int(mark[1]), int(mark[2])
                elif event := EVENT.search(line):
                    self._read(event, line)

    def _read(self, event: re.Match, line: str) -> None:
        # A GET has no epoch: it counts where it arrives.
        if event["way"] != ("receive" if event["type"] == "GET" else "send"):
            return
        address, sender, receiver = int(event["address"], 16), int(event["sender"]), int(event["receiver"])
        self.all[event["type"], sender, receiver] += 1
        self.pages_in[receiver] += "DATA" in event["flags"]
        self.pages_out[sender] += "DATA" in event["flags"]
        step = self._step_of(event, sender)
        if step and step[0] < len(self._memory) and address in self._memory[step[0]]:
            self.sent[step, event["type"]] += 1
            self.data[step] += int(event["page"])
        elif (not step or step[0] < len(self._memory)) and any(address in memory for memory in self._memory):
            self.strays.append(line)

    def _step_of(self, event: re.Match, sender: int) -> tuple[int, int] | None:
        epoch = int(event["epoch"])
        if event["type"] == "GET" or (sender == HOME and not epoch):
            return self._step
        if sender == HOME:
            return self._epochs.setdefault(epoch, self._step)
        return self._epochs.get(epoch)

    def of(self, script: int, step: int) -> tuple[dict[str, float], float]:
        """Messages by type and pages of data, per page."""
        at = script, step
        messages = {kind: number / PAGES for (where, kind), number in sorted(self.sent.items()) if where == at}
        return messages, self.data[at] / PAGES


@pytest.fixture(scope="module")
def recorded(programs):
    """One run of all scripts: what was sent, and what --stats counted."""
    with Cluster(nodes=NODES, mem="384M") as cluster:
        sharing = Sharing(cluster, lambda note: None)
        tracing = Tracing(cluster, ("coherence_send", "coherence_receive"), KILOBYTES)
        tracing.start()
        scripts = [row.script for row in ROWS]
        outcome = sharing.run([str(PROGRAMS / "messages"), str(PAGES), *scripts], "spread", timeout=600)
        assert outcome.returncode == 0, outcome.stderr
        memory = [range(*(int(word, 16) for word in line.split())) for line in outcome.stdout.splitlines()]
        texts = tracing.stop()
    yield Trace(texts, memory), outcome.stats


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fault_costs_what_the_table_says(recorded, row):
    trace, _ = recorded
    messages, data = trace.of(ROWS.index(row), len(row.script.removeprefix("shared ").split()) - 1)
    assert messages == {kind: number for kind, number in sorted(row.messages.items()) if number}
    assert data == row.data


def test_nothing_else_is_said_about_the_pages(recorded):
    trace, _ = recorded
    assert trace.strays == []


def test_counters_agree_with_the_trace(recorded):
    """What procshare stat counts at home is what has been sent."""
    trace, stats = recorded
    for node in stats["nodes"]:
        number = node["node"]
        assert node["pages_in"] == trace.pages_in[number], f"pages to node {number}"
        assert node["pages_out"] == trace.pages_out[number], f"pages from node {number}"
        assert node["invalidations"] == trace.all["INV", HOME, number], f"invalidations of node {number}"
        faults = node["fault_read"] + node["fault_write"] + node["fault_upgrade"]
        assert faults == trace.all["GET", number, HOME], f"faults of node {number}"
        # Home's about pages to the node, and all from the node: threads that run say what time they used.
        about_pages = sum(n for (_, *ends), n in trace.all.items() if sorted(ends) == [HOME, number])
        assert node["messages"] >= about_pages + node["calls"], f"messages of node {number}"
