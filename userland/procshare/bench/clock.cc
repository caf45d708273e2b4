// SPDX-License-Identifier: GPL-2.0-only
#include "clock.hpp"

#include <algorithm>

namespace procshare::bench {

double ns_per_tick() {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds span(50);
    const Clock::time_point start = Clock::now();
    const std::uint64_t first = ticks();
    Clock::time_point now;

    do
        now = Clock::now();
    while (now - start < span);
    return std::chrono::duration<double, std::nano>(now - start).count() /
           static_cast<double>(ticks() - first);
}

void Samples::sort() {
    std::ranges::sort(durations_);
}

} // namespace procshare::bench
