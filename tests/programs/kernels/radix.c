// SPDX-License-Identifier: GPL-2.0-only
// radix - sorts whole numbers, digit by digit
//
// Partitioned parallel radix sort (Lee, Jeon, Kim and Sohn, JPDC 62, 2002), which made the radix sort of
// SPLASH-2 (Woo et al., ISCA 1995) fit for machines with distributed memory: threads exchange keys once, by
// the highest digit, as IS of the NAS Parallel Benchmarks does, and sort what they have got by themselves.
// pthread. Usage: radix THREADS KEYS

#include "kernel.h"

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, KEY_BITS = 32 };

typedef uint32_t key;

// Of each thread: how many keys of each highest digit it has, then where its next one goes to.
struct counts {
    _Alignas(CACHE_LINE) long of[DIGITS];
};

static int threads;
static long keys;
static key *unsorted, *sorted;
static struct counts* counts;
static pthread_barrier_t barrier;
static double begin;

static int digit(key k, int shift) {
    return k >> shift & (DIGITS - 1);
}

static key random_key(long number) {
    uint64_t z = ((uint64_t)number + 1) * 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (key)(z >> 32);
}

static void count(const key* from, long number, int shift, long* of) {
    memset(of, 0, DIGITS * sizeof(*of));
    for (long i = 0; i < number; i++)
        of[digit(from[i], shift)]++;
}

// Which digits are a thread's to sort: equally many keys, roughly. Returns where its keys begin.
static long first_digit(int thread, const long* total, int* first) {
    long before = 0;

    for (*first = 0; *first < DIGITS && before < keys * thread / threads; (*first)++)
        before += total[*first];
    return before;
}

static void add_up(long* total) {
    memset(total, 0, DIGITS * sizeof(*total));
    for (int t = 0; t < threads; t++)
        for (int d = 0; d < DIGITS; d++)
            total[d] += counts[t].of[d];
}

// Where this thread's keys of each digit go: behind those of lower digits and of the threads before it.
static void find_places(int thread, const long* total, long* place) {
    long before = 0;

    for (int d = 0; d < DIGITS; before += total[d++]) {
        place[d] = before;
        for (int t = 0; t < thread; t++)
            place[d] += counts[t].of[d];
    }
}

static void move(const key* from, key* to, long number, int shift, long* place) {
    for (long i = 0; i < number; i++)
        to[place[digit(from[i], shift)]++] = from[i];
}

// By all digits but the highest; an odd number of them, so the result is in the spare memory.
static void sort_digit_by_digit(key* from, key* spare, long number) {
    for (int shift = 0; shift < KEY_BITS - DIGIT_BITS; shift += DIGIT_BITS) {
        long place[DIGITS], before = 0;
        key* swap = from;

        count(from, number, shift, place);
        for (int d = 0; d < DIGITS; d++) {
            long here = place[d];

            place[d] = before;
            before += here;
        }
        move(from, spare, number, shift, place);
        from = spare;
        spare = swap;
    }
}

static void* sort(void* argument) {
    int thread = (int)(uintptr_t)argument, first, last;
    struct range mine = block_of(keys, thread, threads);
    long total[DIGITS], place[DIGITS], from, to;

    for (long i = mine.begin; i < mine.end; i++) {
        unsorted[i] = random_key(i);
        sorted[i] = 0;
    }
    pthread_barrier_wait(&barrier);
    if (thread == 0)
        begin = now();
    count(&unsorted[mine.begin], mine.end - mine.begin, KEY_BITS - DIGIT_BITS, place);
    memcpy(counts[thread].of, place, sizeof(place));
    pthread_barrier_wait(&barrier);
    add_up(total);
    find_places(thread, total, place);
    move(&unsorted[mine.begin], sorted, mine.end - mine.begin, KEY_BITS - DIGIT_BITS, place);
    pthread_barrier_wait(&barrier);
    from = first_digit(thread, total, &first);
    to = first_digit(thread + 1, total, &last);
    for (long end; first < last; first++, from = end) {
        end = from + total[first];
        sort_digit_by_digit(&sorted[from], &unsorted[from], end - from);
    }
    CHECK_EQUAL(from, to);
    return NULL;
}

int main(int argc, char** argv) {
    threads = (int)argument(argc, argv, 1, 2);
    keys = argument(argc, argv, 2, 1 << 23);
    unsorted = allocate((size_t)keys * sizeof(*unsorted));
    sorted = allocate((size_t)keys * sizeof(*sorted));
    counts = allocate((size_t)threads * sizeof(*counts));
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    in_threads(threads, sort);
    begin = now() - begin;
    for (long i = 1; i < keys; i++)
        CHECK(unsorted[i - 1] <= unsorted[i], "key %ld", i);
    printf("%ld keys, sorted %016lx\n", keys,
           fingerprint(unsorted, (size_t)keys / 2 * 2 * sizeof(*unsorted)));
    say_seconds(begin);
    return 0;
}
