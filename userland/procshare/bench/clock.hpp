// SPDX-License-Identifier: GPL-2.0-only
// procshare - time as the node sees it on which the calling thread runs
#pragma once

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

// Durations in ticks; their pages are there before the first one is noted.
class Samples {
public:
    explicit Samples(std::size_t count) : ticks_(count) {}

    std::size_t size() const { return ticks_.size(); }
    void note(std::size_t i, std::uint64_t ticks) { ticks_[i] = ticks; }
    void sort();
    // Of the sorted samples.
    std::uint64_t median() const { return ticks_[ticks_.size() / 2]; }
    std::uint64_t p99() const { return ticks_[ticks_.size() * 99 / 100]; }

private:
    std::vector<std::uint64_t> ticks_;
};

} // namespace procshare::bench
