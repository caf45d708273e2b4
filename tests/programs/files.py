"""Python threads that write, read and rename files, hand numbers on, and run a child; prints what must always be so."""
# SPDX-License-Identifier: GPL-2.0-only
# Few imports, few turns: each time the interpreter's lock changes hands, its working set goes along.

import os
import queue
import sys
import threading
import zlib

sys.setswitchinterval(0.2)
DIRECTORY = f"/tmp/files-{os.getpid()}"
results = {}


def write_and_read(number: int) -> None:
    name = f"{DIRECTORY}/{number}"
    with open(name + ".part", "wb") as file:
        file.write(bytes([number]) * (10000 + number))
    os.rename(name + ".part", name)
    with open(name, "rb") as file:
        results[number] = zlib.crc32(file.read())


def add_one(source: queue.Queue, sink: queue.Queue) -> None:
    while (item := source.get()) is not None:
        sink.put(item + 1)
    sink.put(None)


def run(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


os.mkdir(DIRECTORY)
run(*(threading.Thread(target=write_and_read, args=(number,)) for number in range(4)))
print(sorted(results.items()), sorted(os.listdir(DIRECTORY)))
first, second, third = queue.Queue(), queue.Queue(), queue.Queue()
for item in (*range(5), None):
    first.put(item)
run(threading.Thread(target=add_one, args=(first, second)), threading.Thread(target=add_one, args=(second, third)))
print([third.get() for _ in range(6)])
print("child", os.system("exit 3") >> 8, flush=True)
for name in os.listdir(DIRECTORY):
    os.unlink(f"{DIRECTORY}/{name}")
os.rmdir(DIRECTORY)
