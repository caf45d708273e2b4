// SPDX-License-Identifier: GPL-2.0-only
// fft - a diffusion equation in three dimensions, solved with fast Fourier transforms
//
// After FT of the NAS Parallel Benchmarks (Bailey et al., RNR-94-007): the same initial state and the same
// checksums, which the suite publishes. Transforms along x and y by planes, along z by rows, which is where
// threads exchange half of all they have. OpenMP. Usage: fft THREADS X Y Z STEPS     (class S: 64 64 64 6,
// class W: 128 128 32 6)

#include "kernel.h"
#include "nas.h"

#include <complex.h>
#include <math.h>
#include <omp.h>

enum { PENCILS = 16, LONGEST = 512, SUMMANDS = 1024 };

typedef double complex number;

// A line of the transform's work: consecutive elements of several lines stand side by side.
typedef number pencils[LONGEST][PENCILS];

static const uint64_t SEED = 314159265;

static int threads;
static long nx, ny, nz;
static number *state, *result, root[LONGEST]; // root: exp(2 pi i n / LONGEST)
static double* decay;

static number* at(number* array, long x, long y, long z) {
    return &array[(z * ny + y) * nx + x];
}

static double squared_frequency(long index, long size) {
    double frequency = (double)((index + size / 2) % size - size / 2);

    return frequency * frequency;
}

static void initialise_plane(long z) {
    const double alpha = 1e-6;
    uint64_t random = nas_skip(SEED, (uint64_t)(2 * nx * ny * z));

    for (long y = 0; y < ny; y++)
        for (long x = 0; x < nx; x++) {
            double squares = squared_frequency(x, nx) + squared_frequency(y, ny) + squared_frequency(z, nz);
            double real = nas_random(&random);

            *at(state, x, y, z) = real + I * nas_random(&random);
            *at(result, x, y, z) = 0;
            decay[(z * ny + y) * nx + x] = exp(-4 * alpha * M_PI * M_PI * squares);
        }
}

static void initialise(void) {
    for (int n = 0; n < LONGEST; n++)
        root[n] = cexp(I * (2 * M_PI * n / LONGEST));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long z = 0; z < nz; z++)
        initialise_plane(z);
}

// One pass of Stockham's algorithm: halves butterflies into pairs, no reordering afterwards.
static void combine(pencils from, pencils to, long length, long half, long stride, int sign) {
    for (long group = 0; group < half; group++) {
        number w = sign > 0 ? root[group * (LONGEST / 2 / half)] : conj(root[group * (LONGEST / 2 / half)]);

        for (long n = 0; n < stride; n++) {
            number *low = from[group * stride + n], *high = from[group * stride + n + length / 2];
            number *sum = to[2 * group * stride + n], *difference = to[(2 * group + 1) * stride + n];

            for (int p = 0; p < PENCILS; p++) {
                number d = low[p] - high[p];

                sum[p] = low[p] + high[p];
                difference[p] = CMPLX(creal(w) * creal(d) - cimag(w) * cimag(d),
                                      creal(w) * cimag(d) + cimag(w) * creal(d));
            }
        }
    }
}

// Transforms some lines in place; elements of a line are one step apart, the lines one gap.
static void transform(number* first, long length, long step, long gap, int sign) {
    static _Thread_local pencils buffers[2];
    int which = 0;

    for (long n = 0; n < length; n++)
        for (int p = 0; p < PENCILS; p++)
            buffers[0][n][p] = first[n * step + p * gap];
    for (long half = length / 2; half; half /= 2, which ^= 1)
        combine(buffers[which], buffers[!which], length, half, length / 2 / half, sign);
    for (long n = 0; n < length; n++)
        for (int p = 0; p < PENCILS; p++)
            first[n * step + p * gap] = buffers[which][n][p];
}

static void along_x(number* array, int sign) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long z = 0; z < nz; z++)
        for (long y = 0; y < ny; y += PENCILS)
            transform(at(array, 0, y, z), nx, 1, nx, sign);
}

static void along_y(number* array, int sign) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long z = 0; z < nz; z++)
        for (long x = 0; x < nx; x += PENCILS)
            transform(at(array, x, 0, z), ny, nx, 1, sign);
}

static void along_z(number* array, int sign) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long y = 0; y < ny; y++)
        for (long x = 0; x < nx; x += PENCILS)
            transform(at(array, x, y, 0), nz, nx * ny, 1, sign);
}

static void evolve(void) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long n = 0; n < nx * ny * nz; n++)
        result[n] = state[n] *= decay[n];
}

static number checksum(void) {
    number sum = 0;

    for (long j = 1; j <= SUMMANDS; j++)
        sum += *at(result, j % nx, 3 * j % ny, 5 * j % nz);
    return sum / (double)(nx * ny * nz);
}

static void solve(long steps, number* checksums) {
    along_x(state, -1);
    along_y(state, -1);
    along_z(state, -1);
    for (long step = 0; step < steps; step++) {
        evolve();
        along_z(result, 1);
        along_y(result, 1);
        along_x(result, 1);
        checksums[step] = checksum();
    }
}

static long size_argument(int argc, char** argv, int position, long usual) {
    long size = argument(argc, argv, position, usual);

    CHECK(size >= PENCILS && size <= LONGEST && (size & (size - 1)) == 0, "a power of 2 from %d to %d",
          PENCILS, LONGEST);
    return size;
}

int main(int argc, char** argv) {
    long steps = argument(argc, argv, 5, 6);
    number checksums[steps];
    double begin;

    threads = (int)argument(argc, argv, 1, 2);
    nx = size_argument(argc, argv, 2, 128);
    ny = size_argument(argc, argv, 3, 128);
    nz = size_argument(argc, argv, 4, 32);
    state = allocate((size_t)(nx * ny * nz) * sizeof(*state));
    result = allocate((size_t)(nx * ny * nz) * sizeof(*result));
    decay = allocate((size_t)(nx * ny * nz) * sizeof(*decay));
    initialise();
    begin = now();
    solve(steps, checksums);
    begin = now() - begin;
    for (long step = 0; step < steps; step++)
        printf("step %ld: %.12e %.12e\n", step + 1, creal(checksums[step]), cimag(checksums[step]));
    say_seconds(begin);
    return 0;
}
