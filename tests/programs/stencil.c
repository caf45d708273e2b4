// SPDX-License-Identifier: GPL-2.0-only
// stencil - threads average the rows of a grid, a page each, with their neighbours', and meet after each step
//
// Usage: stencil [THREADS [ROWS [STEPS]]]

#include "check.h"

enum { COLUMNS = 4096 / sizeof(double) };

typedef double row[COLUMNS];

static row* grids[2];
static int threads = 3, rows = 48, steps = 40;
static pthread_barrier_t barrier;

static void average(row* to, row* from, int r) {
    for (int c = 0; c < COLUMNS; c++) {
        const double left = from[r][c ? c - 1 : c], right = from[r][c < COLUMNS - 1 ? c + 1 : c];

        to[r][c] = (from[r - 1][c] + from[r + 1][c] + left + right) / 4;
    }
}

// The first row and the last one stay as they are.
static void fill(row* grid) {
    for (int r = 0; r < rows + 2; r++)
        for (int c = 0; c < COLUMNS; c++)
            grid[r][c] = r == 0 ? 100 : 0;
}

static void* work(void* argument) {
    const int me = (int)(intptr_t)argument;
    const int first = 1 + me * rows / threads, last = 1 + (me + 1) * rows / threads;

    for (int step = 0; step < steps; step++) {
        for (int r = first; r < last; r++)
            average(grids[(step + 1) % 2], grids[step % 2], r);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static row* make_grid(void) {
    row* grid = aligned_alloc(sizeof(row), (rows + 2) * sizeof(row));

    CHECK(grid, "no memory");
    fill(grid);
    return grid;
}

// The same by one thread.
static void check(void) {
    row *from = make_grid(), *to = make_grid();

    for (int step = 0; step < steps; step++) {
        for (int r = 1; r <= rows; r++)
            average(to, from, r);
        row* last = to;
        to = from;
        from = last;
    }
    CHECK(!memcmp(from, grids[steps % 2], (rows + 2) * sizeof(row)), "the grids differ");
}

int main(int argc, char** argv) {
    threads = argc > 1 ? atoi(argv[1]) : threads;
    rows = argc > 2 ? atoi(argv[2]) : rows;
    steps = argc > 3 ? atoi(argv[3]) : steps;
    CHECK(threads > 0 && rows >= threads && steps > 0);
    grids[0] = make_grid();
    grids[1] = make_grid();
    pthread_barrier_init(&barrier, NULL, threads);
    in_threads(threads, work);
    check();
    printf("stencil: right\n");
    return 0;
}
