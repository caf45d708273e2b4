// SPDX-License-Identifier: GPL-2.0-only
// openmp - loops, reductions, sections, tasks and critical regions of an OpenMP program, with known results
//
// Usage: openmp [THREADS]

#include "check.h"

#include <omp.h>

enum { SIZE = 128, FIB = 18 };

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void multiply(void) {
#pragma omp parallel for collapse(2) schedule(static)
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = i + j;
            b[i][j] = i == j ? 2 : 0;
        }
    for (int round = 0; round < 4; round++)
#pragma omp parallel for schedule(dynamic, 8)
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++) {
                double sum = 0;

                for (int k = 0; k < SIZE; k++)
                    sum += a[i][k] * b[k][j];
                c[i][j] = sum;
            }
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            CHECK(c[i][j] == 2.0 * (i + j), "c[%d][%d] is %g", i, j, c[i][j]);
}

static long long reduce(void) {
    long long sum = 0;

#pragma omp parallel for reduction(+ : sum) schedule(guided)
    for (long long i = 0; i < 2000000; i++)
        sum += i % 7 * (i & 3);
    return sum;
}

static int fib(int n) {
    int x, y;

    if (n < 2)
        return n;
#pragma omp task shared(x) if (n > 13)
    x = fib(n - 1);
#pragma omp task shared(y) if (n > 13)
    y = fib(n - 2);
#pragma omp taskwait
    return x + y;
}

static int tasks(void) {
    int result = 0;

#pragma omp parallel
#pragma omp single
    result = fib(FIB);
    return result;
}

static int meet(void) {
    int entered = 0, arrived = 0, sections = 0;

#pragma omp parallel
    {
#pragma omp critical
        entered++;
#pragma omp barrier
        CHECK(entered == omp_get_num_threads());
#pragma omp atomic
        arrived++;
#pragma omp sections
        {
#pragma omp section
#pragma omp atomic
            sections += 1;
#pragma omp section
#pragma omp atomic
            sections += 10;
        }
    }
    CHECK_EQUAL(arrived, entered);
    return entered * 100 + sections;
}

int main(int argc, char** argv) {
    omp_set_dynamic(0);
    omp_set_num_threads(argc > 1 ? atoi(argv[1]) : 4);
    multiply();
    printf("reduce %lld, tasks %d, meet %d\n", reduce(), tasks(), meet());
    return 0;
}
