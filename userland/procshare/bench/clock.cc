// SPDX-License-Identifier: GPL-2.0-only
#include "clock.hpp"

#include <algorithm>
#include <numeric>

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

void Samples::append(const Samples& other) {
    durations_.insert(durations_.end(), other.durations_.begin(), other.durations_.end());
}

void Samples::sort() {
    std::ranges::sort(durations_);
}

double Samples::sum() const {
    return std::accumulate(durations_.begin(), durations_.end(), 0.0);
}

double Samples::quantile(std::size_t percent) const {
    return durations_.empty() ? 0 : static_cast<double>(durations_[durations_.size() * percent / 100]);
}

} // namespace procshare::bench
