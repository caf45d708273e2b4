"""A peer that is not what it should be: says HELLO or not, proves the key or not, then sends what nobody expects.

Usage: impostor.py ADDRESS WHAT.  Prints what the other side answered with, by name.
"""
# SPDX-License-Identifier: GPL-2.0-only

import hmac
import os
import random
import socket
import struct
import sys

PORT = 7747
NODE = 5
HEADER = struct.Struct("<IBBHQII")  # length, type, flags, sender, process, thread, sequence
HELLO = struct.Struct("<IIIBBHQ32s20s4s64s64s32s")
TYPES = {1: "HELLO", 2: "PROOF", 3: "REFUSE", 4: "PING"}
PING, START, MIGRATE, BACK, CALL, RETURN, EXIT, TIME, FENCE, FENCED, COHERENCE = 4, 16, 20, 21, 23, 24, 25, 26, 27, 28, 29
KEY = "/etc/procshare/cluster.key"


class Peer:
    def __init__(self, address: str):
        self.socket = socket.create_connection((address, PORT), 5)
        self.socket.settimeout(10)
        self.sequence = 0

    def send(self, kind: int, body: bytes = b"", flags=0, sender=NODE, process=0, thread=0, length=None) -> None:
        length = len(body) if length is None else length
        self.socket.sendall(HEADER.pack(length, kind, flags, sender, process, thread, self.sequence) + body)
        self.sequence += 1

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def receive(self) -> tuple[int, bytes]:
        length, kind, *_ = HEADER.unpack(self.read(HEADER.size))
        return kind, self.read(length)

    def greet(self, key: bytes, node: int = NODE, version: int | None = None) -> None:
        _, theirs = self.receive()
        magic, spoken, page, _, _, cpus, features, _, build_id, _, release, build, online = HELLO.unpack(theirs)
        mine = HELLO.pack(
            magic, version or spoken, page, node, 1, cpus, features, os.urandom(32), build_id, bytes(4), release, build, online
        )  # fmt: skip
        self.send(1, mine)
        role = b"procshare dialer".ljust(24, b"\0")
        self.send(2, hmac.new(key, role + mine + theirs, "sha256").digest())

    def rest(self) -> list[str]:
        """All that comes until the other side closes."""
        seen = []
        try:
            while True:
                kind, _ = self.receive()
                seen.append(TYPES.get(kind, str(kind)))
        except (EOFError, ConnectionError):
            return seen


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


def key() -> bytes:
    with open(KEY, "rb") as file:
        return file.read().rstrip(b"\n")


BEFORE_HELLO = {
    "noise": lambda peer: peer.socket.sendall(noise(10000)),
    "http": lambda peer: peer.socket.sendall(b"GET / HTTP/1.1\r\nHost: node0\r\n\r\n"),
    "zeros": lambda peer: peer.socket.sendall(bytes(5000)),
    "huge": lambda peer: peer.send(1, length=0xFFFFFFFF),
    "short-hello": lambda peer: peer.send(1, b"abc"),
    "coherence-first": lambda peer: peer.send(COHERENCE, bytes(64)),
    "wrong-version": lambda peer: peer.greet(key(), version=77),
    "wrong-key": lambda peer: peer.greet(b"not the key, surely"),
    "unknown-node": lambda peer: peer.greet(key(), node=33),
}

AFTER_HELLO = {
    "noise": lambda peer: peer.socket.sendall(noise(10000)),
    "unknown-type": lambda peer: peer.send(200),
    "type-zero": lambda peer: peer.send(0),
    "too-long": lambda peer: peer.send(PING, length=1 << 30),
    "other-sender": lambda peer: peer.send(PING, sender=1),
    "unknown-flags": lambda peer: peer.send(COHERENCE, bytes(64), flags=0x80),
    "page-with-ping": lambda peer: peer.send(PING, bytes(4096), flags=1, length=0),
    "page-with-call": lambda peer: peer.send(CALL, bytes(4096), flags=1, length=0),
    "second-hello": lambda peer: peer.send(1, bytes(HELLO.size)),
}

# Well-formed, about processes that the peer has nothing to do with: ignored or refused, never obeyed.
MEDDLING = (START, 17, 18, 19, MIGRATE, BACK, 22, CALL, RETURN, EXIT, TIME, FENCE, FENCED, COHERENCE)


def meddle(peer: Peer) -> None:
    for process in (0, 1, 2, 3, 5 << 32 | 1, 1 << 32 | 1, 63 << 32 | 1, 0xFFFFFFFFFFFFFFFF):
        for kind in MEDDLING:
            for body in (b"", bytes(16), noise(64), noise(700)):
                peer.send(kind, body, process=process, thread=1)
                if kind == COHERENCE:
                    peer.send(kind, body + noise(4096), flags=1, length=len(body), process=process, thread=2)
    peer.send(200)  # and be thrown out in the end


def crowd(address: str, size: int) -> None:
    """Many that hold a connection and say next to nothing, until the other side has closed them all."""
    others, turned_away = [], 0
    for _ in range(size):
        try:
            others.append(Peer(address))
            others[-1].socket.sendall(b"x")
        except ConnectionError:
            turned_away += 1
    for other in others:
        other.rest()
    print("crowded" if others else "never in", "and over")


def main() -> None:
    address, what = sys.argv[1:]
    stage, _, name = what.partition(":")
    peer = Peer(address)
    if stage == "before":
        BEFORE_HELLO[name](peer)
    elif stage == "after":
        peer.greet(key())
        AFTER_HELLO[name](peer)
    elif stage == "meddle":
        peer.greet(key())
        meddle(peer)
    elif stage == "crowd":
        crowd(address, int(name))
        return
    print(*peer.rest())


main()
