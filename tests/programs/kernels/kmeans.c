// SPDX-License-Identifier: GPL-2.0-only
// kmeans - points into clusters, until no point changes its cluster any more
//
// After kmeans of Phoenix (Ranger et al., HPCA 2007): points with whole coordinates at random, so sums are
// exact, and the first points as first means. Threads have blocks of points, thread 0 adds what they have
// found. pthread, two barriers per step. Usage: kmeans THREADS POINTS MAX_STEPS

#include "kernel.h"

enum { DIMENSIONS = 8, CLUSTERS = 64, GRID = 1000 };

struct tally {
    long sum[CLUSTERS][DIMENSIONS], members[CLUSTERS], moved;
};

static int threads;
static long points, most_steps, steps;
static int (*point)[DIMENSIONS], *cluster, mean[CLUSTERS][DIMENSIONS];
static struct tally** found; // what each thread has
static pthread_barrier_t barrier;
static double begin;

static uint64_t mix(uint64_t z) {
    z = (z + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static void initialise(struct range mine) {
    for (long i = mine.begin; i < mine.end; i++) {
        cluster[i] = -1;
        for (int d = 0; d < DIMENSIONS; d++)
            point[i][d] = (int)(mix((uint64_t)(i * DIMENSIONS + d)) % GRID);
    }
}

static int nearest(const int* where) {
    long best = INT64_MAX;
    int chosen = 0;

    for (int c = 0; c < CLUSTERS; c++) {
        long distance = 0;

        for (int d = 0; d < DIMENSIONS; d++)
            distance += (long)(where[d] - mean[c][d]) * (where[d] - mean[c][d]);
        if (distance < best) {
            best = distance;
            chosen = c;
        }
    }
    return chosen;
}

static void assign(struct range mine, struct tally* tally) {
    memset(tally, 0, sizeof(*tally));
    for (long i = mine.begin; i < mine.end; i++) {
        int c = nearest(point[i]);

        tally->moved += c != cluster[i];
        cluster[i] = c;
        tally->members[c]++;
        for (int d = 0; d < DIMENSIONS; d++)
            tally->sum[c][d] += point[i][d];
    }
}

// Returns how many points have changed their cluster.
static long find_means(void) {
    long moved = 0;

    for (int c = 0; c < CLUSTERS; c++)
        for (int d = 0; d < DIMENSIONS; d++) {
            long sum = 0, members = 0;

            for (int t = 0; t < threads; t++) {
                sum += found[t]->sum[c][d];
                members += found[t]->members[c];
            }
            if (members)
                mean[c][d] = (int)(sum / members);
        }
    for (int t = 0; t < threads; t++)
        moved += found[t]->moved;
    return moved;
}

static void* work(void* argument) {
    int thread = (int)(uintptr_t)argument;
    struct range mine = block_of(points, thread, threads);
    struct tally* tally = found[thread] = allocate(sizeof(*tally));
    static int more = 1;

    initialise(mine);
    pthread_barrier_wait(&barrier);
    if (thread == 0) {
        memcpy(mean, point, sizeof(mean));
        begin = now();
    }
    pthread_barrier_wait(&barrier);
    while (more) {
        assign(mine, tally);
        pthread_barrier_wait(&barrier);
        if (thread == 0)
            more = find_means() > 0 && ++steps < most_steps;
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(int argc, char** argv) {
    threads = (int)argument(argc, argv, 1, 2);
    points = argument(argc, argv, 2, 100000);
    most_steps = argument(argc, argv, 3, 20);
    CHECK(points >= CLUSTERS);
    point = allocate((size_t)points * sizeof(*point));
    cluster = allocate((size_t)points * sizeof(*cluster));
    found = allocate((size_t)threads * sizeof(*found));
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    in_threads(threads, work);
    begin = now() - begin;
    printf("%ld steps, means %016lx, clusters %016lx\n", steps, fingerprint(mean, sizeof(mean)),
           fingerprint(cluster, (size_t)points / 2 * 2 * sizeof(*cluster)));
    say_seconds(begin);
    return 0;
}
