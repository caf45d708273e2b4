// SPDX-License-Identifier: GPL-2.0-only
// Makes the virtual machine's threads work together: compilers, collectors, locks, exceptions, and a pool that divides a job.

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

public class Threads {
    static final int WORKERS = 4;
    static long counter;

    /** Hot enough to be compiled while the threads are in it. */
    static long collatz(int from, int to) {
        long steps = 0;
        for (int i = from; i < to; i++)
            for (long n = i; n > 1; n = (n & 1) == 0 ? n / 2 : 3 * n + 1)
                steps++;
        return steps;
    }

    /** Null checks of compiled code are faults that the machine's signal handler turns into exceptions. */
    static int caught(int seed) {
        String[] words = new String[8];
        int faults = 0;
        words[seed % 8] = "word";
        for (int i = 0; i < 1000; i++) {
            try {
                if (words[i % 8].length() != 4)
                    faults += 1000000;
            } catch (NullPointerException expected) {
                faults++;
            }
        }
        return faults;
    }

    /** Garbage, some of which survives. */
    static long litter(int seed) {
        List<int[]> kept = new ArrayList<>();
        long sum = 0;
        for (int i = 0; i < 1500; i++) {
            int[] block = new int[512];
            block[i % 512] = seed + i;
            if (i % 16 == 0)
                kept.add(block);
            if (kept.size() > 64)
                kept.remove(0);
        }
        for (int[] block : kept)
            for (int value : block)
                sum += value;
        return sum;
    }

    static long locked(Object lock) {
        for (int i = 0; i < 300; i++)
            synchronized (lock) {
                counter++;
            }
        return 0;
    }

    static long inParallel(java.util.function.IntFunction<Long> work) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(WORKERS);
        List<Future<Long>> results = new ArrayList<>();
        long sum = 0;
        for (int i = 0; i < WORKERS; i++) {
            final int n = i;
            results.add(pool.submit((Callable<Long>) () -> work.apply(n)));
        }
        for (Future<Long> result : results)
            sum += result.get();
        pool.shutdown();
        return sum;
    }

    static long throughQueue() throws Exception {
        ArrayBlockingQueue<Integer> queue = new ArrayBlockingQueue<>(8);
        AtomicLong sum = new AtomicLong();
        Thread[] takers = new Thread[2];
        for (int i = 0; i < takers.length; i++) {
            takers[i] = new Thread(() -> {
                try {
                    for (int n = queue.take(); n != 0; n = queue.take())
                        sum.addAndGet(n);
                } catch (InterruptedException never) {
                    sum.set(-1);
                }
            });
            takers[i].start();
        }
        for (int i = 1; i <= 60; i++)
            queue.put(i);
        for (Thread taker : takers)
            queue.put(0);
        for (Thread taker : takers)
            taker.join();
        return sum.get();
    }

    public static void main(String[] arguments) throws Exception {
        ConcurrentHashMap<Integer, Integer> map = new ConcurrentHashMap<>();
        Object lock = new Object();
        System.out.println("collatz " + inParallel(n -> collatz(n * 20000 + 1, (n + 1) * 20000)));
        System.out.println("caught " + inParallel(n -> (long)caught(n)));
        System.out.println("litter " + inParallel(n -> litter(n)));
        inParallel(n -> locked(lock));
        System.out.println("locked " + counter);
        System.out.println("queue " + throughQueue());
        IntStream.range(0, 3000).parallel().forEach(i -> map.merge(i % 97, i, Integer::sum));
        System.out.println("map " + map.values().stream().mapToLong(Integer::longValue).sum() + " of " + map.size());
    }
}
