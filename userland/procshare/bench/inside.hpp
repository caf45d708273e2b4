// SPDX-License-Identifier: GPL-2.0-only
// procshare - the benchmarks proper: they run inside a shared process
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "clock.hpp"
#include "control.hpp"

namespace procshare::bench {

struct Task {
    Control& control;
    unsigned node;       // the remote one
    std::size_t count;   // samples to take; table.cc says what one is
    NodeSet nodes;       // that may be used; 0: all
    std::size_t threads; // in all, spread over the nodes; 0: one on each
};

// Something else that was measured; the name ends with the unit, if there is one.
struct Figure {
    std::string name;
    double value;
};

struct Result {
    double median_ns = 0; // 0: nothing was sampled
    double p99_ns = 0;
    std::vector<Figure> figures{};
};

// A few rounds that do not count bring code, stack and samples to where they are used.
constexpr std::size_t warm_up_rounds = 16;

// Times @step(round) @count times on the clock @now.
template <typename Now, typename Step>
Samples sample(const Now& now, std::size_t count, const Step& step) {
    Samples samples(count);

    for (std::size_t round = 0; round < warm_up_rounds + count; round++) {
        const std::uint64_t start = now();
        step(round);
        const std::uint64_t end = now();
        if (round >= warm_up_rounds)
            samples.note(round - warm_up_rounds, start, end);
    }
    samples.sort();
    return samples;
}

// The same for a thread that stays where it is.
template <typename Step>
Result measure(std::size_t count, const Step& step) {
    const Samples samples = sample(ticks, count, step);
    const double unit_ns = ns_per_tick();

    return {samples.median() * unit_ns, samples.p99() * unit_ns};
}

} // namespace procshare::bench
