// SPDX-License-Identifier: GPL-2.0-only
// procshare - what computing threads gain from the other nodes
#include <chrono>
#include <vector>

#include <unistd.h>

#include "inside.hpp"
#include "nodes.hpp"
#include "table.hpp"

namespace procshare::bench {
namespace {

[[gnu::noinline]] unsigned fibonacci(unsigned n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

void compute(unsigned n) {
    volatile unsigned result = fibonacci(n);
    static_cast<void>(result);
}

// An n for which compute() takes some seconds here; each step up takes 1.6 times as long.
unsigned choose_size() {
    for (unsigned n = 25;; n++) {
        const std::uint64_t start = monotonic_ns();
        compute(n);
        if (monotonic_ns() - start > 250000000)
            return n + 5;
    }
}

// The threads of all nodes, each node being as this one.
std::vector<unsigned> spread_threads(const std::vector<unsigned>& nodes) {
    const auto cpus = static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_ONLN));
    std::vector<unsigned> places;

    for (std::size_t i = 0; i < nodes.size() * cpus; i++)
        places.push_back(nodes[i % nodes.size()]);
    return places;
}

} // namespace

Result speedup(const Task& task) {
    const std::vector<unsigned> nodes = usable_nodes(task);
    const std::vector<unsigned> spread = spread_threads(nodes);
    const std::vector<unsigned> home(spread.size(), task.control.self());
    const unsigned n = choose_size();
    const double home_s = run_on_all(task.control, home, [n](std::size_t) { compute(n); });
    const double spread_s = run_on_all(task.control, spread, [n](std::size_t) { compute(n); });

    return {0,
            0,
            {{"threads", static_cast<double>(spread.size())},
             {"nodes", static_cast<double>(nodes.size())},
             {"home_s", home_s},
             {"spread_s", spread_s},
             {"speedup", home_s / spread_s}}};
}

} // namespace procshare::bench
