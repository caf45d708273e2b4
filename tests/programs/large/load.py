"""A load for a server on this machine: connections that work at the same time and look at every answer. Says what it found."""
# SPDX-License-Identifier: GPL-2.0-only

import hashlib
import http.client
import socket
import sys
import threading

CONNECTIONS = 6
ROUNDS = 12


def value_of(key: str) -> bytes:
    """From a few bytes to a few pages."""
    seed = hashlib.sha256(key.encode()).hexdigest().encode()
    return (seed * 200)[: int(seed[:4], 16) % 9000 + 1]


class Lines:
    """A connection that is spoken to in lines and counted blocks."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.stream = self.socket.makefile("rb")

    def ask(self, data: bytes) -> bytes:
        self.socket.sendall(data)
        return self.stream.readline().rstrip()

    def block(self, length: int) -> bytes:
        return self.stream.read(length + 2)[:-2]

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


class Memcached(Lines):
    def set(self, key: str, value: bytes) -> bool:
        return self.ask(b"set %s 0 0 %d\r\n%s\r\n" % (key.encode(), len(value), value)) == b"STORED"

    def get(self, key: str) -> bytes | None:
        words = self.ask(b"get %s\r\n" % key.encode()).split()
        if words == [b"END"]:
            return None
        value = self.block(int(words[3]))
        assert self.stream.readline() == b"END\r\n"
        return value

    def count(self, key: str) -> None:
        self.ask(b"incr %s 1\r\n" % key.encode())

    def delete(self, key: str) -> bool:
        return self.ask(b"delete %s\r\n" % key.encode()) == b"DELETED"

    def zero(self, key: str) -> None:
        self.set(key, b"0")


class Redis(Lines):
    def call(self, *words: bytes) -> bytes:
        body = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        return self.ask(b"*%d\r\n%s" % (len(words), body))

    def set(self, key: str, value: bytes) -> bool:
        return self.call(b"SET", key.encode(), value) == b"+OK"

    def get(self, key: str) -> bytes | None:
        length = int(self.call(b"GET", key.encode())[1:])
        return None if length < 0 else self.block(length)

    def count(self, key: str) -> None:
        self.call(b"INCR", key.encode())

    def delete(self, key: str) -> bool:
        return self.call(b"DEL", key.encode()) == b":1"

    def zero(self, key: str) -> None:
        self.call(b"SET", key.encode(), b"0")


def use_store(store: Lines, number: int) -> int:
    """Writes, reads back, deletes every other one, and counts together with the others; returns what went wrong."""
    wrong = 0
    for n in range(ROUNDS):
        key = f"key:{number}:{n}"
        wrong += not store.set(key, value_of(key))
        wrong += store.get(key) != value_of(key)
        store.count("counter")
        if n % 2:
            wrong += not store.delete(key)
            wrong += store.get(key) is not None
    for n in range(0, ROUNDS, 2):
        wrong += store.get(f"key:{number}:{n}") != value_of(f"key:{number}:{n}")
    return wrong


def fetch_files(port: int, number: int, names: list[str]) -> int:
    """Over one connection, each file against the one on disk."""
    wrong = 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for n in range(ROUNDS // 2):
        name = names[(number + n) % len(names)]
        connection.request("GET", "/" + name.rpartition("/")[2])
        answer = connection.getresponse()
        body = answer.read()
        with open(name, "rb") as file:
            wrong += answer.status != 200 or body != file.read()
    return wrong


def together(work) -> int:
    wrong = [1] * CONNECTIONS

    def note(number: int) -> None:
        wrong[number] = work(number)

    threads = [threading.Thread(target=note, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(wrong)


def main() -> None:
    kind, port, names = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if kind == "http":
        print("wrong:", together(lambda number: fetch_files(port, number, names)))
        return
    store = {"memcached": Memcached, "redis": Redis}[kind]
    first = store(port)
    first.zero("counter")
    print("wrong:", together(lambda number: use_store(store(port), number)))
    print("counter:", first.get("counter").decode())
    first.close()


main()
