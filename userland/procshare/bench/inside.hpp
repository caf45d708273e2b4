// SPDX-License-Identifier: GPL-2.0-only
// procshare - the benchmarks proper: they run inside a shared process
#pragma once

#include <cstddef>
#include <cstdint>

#include "clock.hpp"
#include "control.hpp"

namespace procshare::bench {

struct Task {
    Control& control;
    unsigned node;     // the remote one
    std::size_t count; // samples to take
};

struct Result {
    double median_ns = 0;
    double p99_ns = 0;
};

struct SpeedupResult {
    unsigned threads = 0;
    unsigned nodes = 0;
    double home_s = 0;
    double spread_s = 0;
};

// A few rounds that do not count bring code, stack and samples to where they are used.
constexpr std::size_t warm_up_rounds = 16;

// Times @step(round) @count times on the clock @now, whose unit lasts @unit_ns.
template <typename Now, typename Step>
Result measure_on(const Now& now, double unit_ns, std::size_t count, const Step& step) {
    Samples samples(count);

    for (std::size_t round = 0; round < warm_up_rounds + count; round++) {
        const std::uint64_t start = now();
        step(round);
        const std::uint64_t end = now();
        if (round >= warm_up_rounds)
            samples.note(round - warm_up_rounds, start, end);
    }
    samples.sort();
    return {samples.median() * unit_ns, samples.p99() * unit_ns};
}

// The same for a thread that stays where it is.
template <typename Step>
Result measure(std::size_t count, const Step& step) {
    return measure_on(ticks, ns_per_tick(), count, step);
}

// A remote thread reads, writes, or writes what it has read: pages that home wrote.
Result read_fault(const Task& task);
Result write_fault(const Task& task);
Result upgrade(const Task& task);
// A remote thread asks home for its parent's id.
Result getppid(const Task& task);
// A thread goes to the node and comes back.
Result migrate(const Task& task);
// A home thread and a remote one write to a page in turn: there and back.
Result ping_pong(const Task& task);
// Computing threads, first all at home, then spread over all nodes.
SpeedupResult speedup(const Task& task);

} // namespace procshare::bench
