// SPDX-License-Identifier: GPL-2.0-only
// stencil - Jacobi sweeps over a 19-point Poisson equation with variable coefficients
//
// After the Himeno benchmark (R. Himeno, RIKEN): its arrays, its boundary conditions, its sizes (XS is 32 x
// 32 x 64, S is 64 x 64 x 128). Each thread has a slab of planes, which it also initialises. pthread, a
// barrier after each half of a sweep. Usage: stencil THREADS PLANES SWEEPS     (PLANES x PLANES x 2 PLANES)

#include "kernel.h"

enum { COEFFICIENTS = 10 }; // a0 to a3, b0 to b2, c0 to c2

static int threads;
static long planes, rows, columns, sweeps;
static float *coefficient[COEFFICIENTS], *pressure, *next, *source, *bound;
static double** gosa; // of each thread, the residuals of its planes
static pthread_barrier_t barrier;
static double begin;

static size_t at(long i, long j, long k) {
    return (size_t)((i * rows + j) * columns + k);
}

static void initialise(struct range mine) {
    for (long i = mine.begin; i < mine.end; i++)
        for (size_t n = at(i, 0, 0); n < at(i + 1, 0, 0); n++) {
            for (int c = 0; c < COEFFICIENTS; c++)
                coefficient[c][n] = c < 3 || c > 6 ? 1 : c == 3 ? 1 / 6.f : 0;
            pressure[n] = (float)(i * i) / (float)((planes - 1) * (planes - 1));
            next[n] = source[n] = 0;
            bound[n] = 1;
        }
}

// What the equation asks of one point, beyond what it has.
static float residual(size_t n) {
    const float* p = pressure + n;
    long row = columns, plane = rows * columns;
    float sum = coefficient[0][n] * p[plane] + coefficient[1][n] * p[row] + coefficient[2][n] * p[1];

    sum += coefficient[4][n] * (p[plane + row] - p[plane - row] - p[row - plane] + p[-plane - row]);
    sum += coefficient[5][n] * (p[row + 1] - p[1 - row] - p[row - 1] + p[-row - 1]);
    sum += coefficient[6][n] * (p[plane + 1] - p[1 - plane] - p[plane - 1] + p[-plane - 1]);
    sum +=
        coefficient[7][n] * p[-plane] + coefficient[8][n] * p[-row] + coefficient[9][n] * p[-1] + source[n];
    return (sum * coefficient[3][n] - p[0]) * bound[n];
}

static double relax_plane(long i) {
    double sum = 0;

    for (long j = 1; j < rows - 1; j++)
        for (long k = 1; k < columns - 1; k++) {
            size_t n = at(i, j, k);
            float r = residual(n);

            sum += (double)r * r;
            next[n] = pressure[n] + 0.8f * r;
        }
    return sum;
}

static void take_over_plane(long i) {
    for (long j = 1; j < rows - 1; j++)
        memcpy(&pressure[at(i, j, 1)], &next[at(i, j, 1)], (size_t)(columns - 2) * sizeof(float));
}

static void* solve(void* argument) {
    int thread = (int)(uintptr_t)argument;
    struct range mine = block_of(planes, thread, threads);
    double* sums = gosa[thread] = allocate((size_t)planes * sizeof(double));

    initialise(mine);
    // The outermost planes are the boundary: nobody changes them.
    mine.begin += mine.begin == 0;
    mine.end -= mine.end == planes;
    pthread_barrier_wait(&barrier);
    if (thread == 0)
        begin = now();
    for (long sweep = 0; sweep < sweeps; sweep++) {
        for (long i = mine.begin; i < mine.end; i++)
            sums[i] = relax_plane(i);
        pthread_barrier_wait(&barrier);
        for (long i = mine.begin; i < mine.end; i++)
            take_over_plane(i);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static double last_gosa(void) {
    double sum = 0;

    for (int thread = 0; thread < threads; thread++) {
        struct range block = block_of(planes, thread, threads);

        for (long i = block.begin; i < block.end; i++)
            sum += i == 0 || i == planes - 1 ? 0 : gosa[thread][i];
    }
    return sum;
}

int main(int argc, char** argv) {
    threads = (int)argument(argc, argv, 1, 2);
    planes = rows = argument(argc, argv, 2, 64);
    columns = 2 * planes;
    sweeps = argument(argc, argv, 3, 20);
    for (int c = 0; c < COEFFICIENTS; c++)
        coefficient[c] = allocate(at(planes, 0, 0) * sizeof(float));
    pressure = allocate(at(planes, 0, 0) * sizeof(float));
    next = allocate(at(planes, 0, 0) * sizeof(float));
    source = allocate(at(planes, 0, 0) * sizeof(float));
    bound = allocate(at(planes, 0, 0) * sizeof(float));
    gosa = allocate((size_t)threads * sizeof(*gosa));
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    in_threads(threads, solve);
    begin = now() - begin;
    printf("gosa %.12e\n", last_gosa());
    printf("pressure %016lx\n", fingerprint(pressure, at(planes, 0, 0) * sizeof(float)));
    say_seconds(begin);
    return 0;
}
