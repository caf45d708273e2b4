// SPDX-License-Identifier: GPL-2.0-only
// Workers, each with an engine of its own, that share a buffer, wait for each other in it and send messages.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const crypto = require('node:crypto');
const zlib = require('node:zlib');

const WORKERS = 3;

function primes(from, to) {
  let found = 0;
  for (let n = Math.max(from, 2); n < to; n++) {
    let d = 2;
    while (d * d <= n && n % d) d++;
    if (d * d > n) found++;
  }
  return found;
}

// Each adds to a sum under a lock that sleeps.
function addUnderLock(cells) {
  for (let i = 0; i < 50; i++) {
    while (Atomics.compareExchange(cells, 0, 0, 1) !== 0) Atomics.wait(cells, 0, 1, 10);
    cells[1] += 1;
    Atomics.store(cells, 0, 0);
    Atomics.notify(cells, 0, 1);
  }
}

function work() {
  const cells = new Int32Array(workerData.buffer);
  const n = workerData.number;
  addUnderLock(cells);
  const list = Array.from({ length: 5000 }, (_, i) => ({ key: (i * 7919) % 20011, text: `item ${i}` }));
  list.sort((a, b) => a.key - b.key);
  const hash = crypto.createHash('sha256').update(JSON.stringify(list)).digest('hex').slice(0, 16);
  parentPort.on('message', (text) => {
    parentPort.postMessage({ n, primes: primes(n * 10000, (n + 1) * 10000), hash, reply: text.toUpperCase() });
    parentPort.close();
  });
}

function main() {
  const buffer = new SharedArrayBuffer(16);
  const results = [];
  for (let number = 0; number < WORKERS; number++) {
    const worker = new Worker(__filename, { workerData: { buffer, number } });
    worker.on('message', (result) => results.push(result));
    worker.on('error', (error) => console.log(`worker ${number}: ${error}`));
    worker.postMessage(`hello ${number}`);
  }
  // Through the pool of the event loop's own threads.
  const packed = Array.from({ length: 4 }, (_, i) => new Promise((done) =>
    zlib.deflate(Buffer.alloc(200000, `block ${i} `), (error, data) => done(data.length))));
  let derived;
  crypto.pbkdf2('password', 'salt', 2000, 16, 'sha256', (error, key) => { derived = key.toString('hex'); });
  // Only now: what is done first is nobody's promise.
  process.on('exit', () => {
    console.log(`key ${derived}`);
    results.sort((a, b) => a.n - b.n).forEach((result) => console.log(JSON.stringify(result)));
    console.log(`sum ${new Int32Array(buffer)[1]}`);
  });
  Promise.all(packed).then((sizes) => results.push({ n: WORKERS, sizes }));
}

if (isMainThread) main(); else work();
