// SPDX-License-Identifier: GPL-2.0-only
// matmul - a dense matrix product, block by block
//
// The blocked product (Golub and Van Loan, "Matrix Computations", 1.3; as in Phoenix's matrix_multiply, HPCA
// 2007). Each thread computes, and has initialised, a slab of rows. OpenMP. Usage: matmul THREADS SIZE

#include "kernel.h"

#include <omp.h>

enum { BLOCK = 64 };

static int threads;
static long size;
static double *a, *b, *c;

static long least(long x, long y) {
    return x < y ? x : y;
}

static void initialise(void) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long i = 0; i < size; i++)
        for (long j = 0; j < size; j++) {
            a[i * size + j] = 1.0 / (double)(i + j + 1);
            b[i * size + j] = (double)(i - j) / (double)size;
            c[i * size + j] = 0;
        }
}

static void multiply_block(long row, long middle, long column) {
    long row_end = least(row + BLOCK, size), middle_end = least(middle + BLOCK, size);
    long width = least(BLOCK, size - column);

    for (long i = row; i < row_end; i++)
        for (long k = middle; k < middle_end; k++) {
            const double factor = a[i * size + k], *from = &b[k * size + column];
            double* to = &c[i * size + column];

            for (long j = 0; j < width; j++)
                to[j] += factor * from[j];
        }
}

static void multiply(void) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long row = 0; row < size; row += BLOCK)
        for (long middle = 0; middle < size; middle += BLOCK)
            for (long column = 0; column < size; column += BLOCK)
                multiply_block(row, middle, column);
}

int main(int argc, char** argv) {
    size_t bytes;
    double begin;

    threads = (int)argument(argc, argv, 1, 2);
    size = argument(argc, argv, 2, 512);
    bytes = (size_t)(size * size) * sizeof(double);
    a = allocate(bytes);
    b = allocate(bytes);
    c = allocate(bytes);
    initialise();
    begin = now();
    multiply();
    begin = now() - begin;
    printf("product %016lx\n", fingerprint(c, bytes));
    say_seconds(begin);
    return 0;
}
