"""Python threads that write, read, rename and hash files, and run child processes; prints what must always be so."""
# SPDX-License-Identifier: GPL-2.0-only

import hashlib
import queue
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def write_and_hash(directory: Path, number: int) -> str:
    file = directory / f"{number}.part"
    file.write_bytes(bytes([number]) * (10000 + number))
    file.rename(file.with_suffix(".done"))
    return hashlib.sha256(file.with_suffix(".done").read_bytes()).hexdigest()[:16]


def pipeline(stages: int, items: int) -> int:
    """Numbers go through a chain of threads, each adding one."""
    queues = [queue.Queue() for _ in range(stages + 1)]

    def stage(i: int) -> None:
        while (item := queues[i].get()) is not None:
            queues[i + 1].put(item + 1)
        queues[i + 1].put(None)

    threads = [threading.Thread(target=stage, args=(i,)) for i in range(stages)]
    for thread in threads:
        thread.start()
    for item in [*range(items), None]:
        queues[0].put(item)
    total = 0
    while (item := queues[stages].get()) is not None:
        total += item
    for thread in threads:
        thread.join()
    return total


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(4) as pool:
        directory = Path(name)
        print(*pool.map(lambda n: write_and_hash(directory, n), range(8)))
        print(sorted(file.name for file in directory.iterdir()))
        print(pipeline(3, 30))
        print(*pool.map(lambda n: subprocess.run(["expr", str(n), "+", "1"], capture_output=True).stdout, range(3)))


main()
