// SPDX-License-Identifier: GPL-2.0-only
// procshare - time as the node sees it on which the calling thread runs
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <x86intrin.h>

namespace procshare::bench {

// Needs no system call, wherever the thread is: one would be part of what is measured.
inline std::uint64_t ticks() {
    _mm_lfence();
    return __rdtsc();
}

// Measured where the calling thread runs.
double ns_per_tick();

// On this clock the nodes agree, more or less: for who may have moved between two readings.
inline std::uint64_t monotonic_ns() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                      std::chrono::nanoseconds(1));
}

// Durations on either clock; their pages are there before the first one is noted.
class Samples {
public:
    explicit Samples(std::size_t count) : durations_(count) {}

    void note(std::size_t i, std::uint64_t start, std::uint64_t end) {
        durations_[i] = static_cast<std::int64_t>(end - start);
    }
    // Only the first @count were noted.
    void cut(std::size_t count) { durations_.resize(count); }
    void append(const Samples& other);
    void sort();
    // Of the sorted samples; 0 if there are none.
    double median() const { return quantile(50); }
    double p99() const { return quantile(99); }
    double sum() const;
    std::size_t size() const { return durations_.size(); }

private:
    double quantile(std::size_t percent) const;

    std::vector<std::int64_t> durations_;
};

} // namespace procshare::bench
