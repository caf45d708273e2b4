// SPDX-License-Identifier: GPL-2.0-only
// procshare - what computing threads gain from the other nodes
#include <chrono>
#include <memory>
#include <vector>

#include <unistd.h>

#include "inside.hpp"
#include "worker.hpp"

namespace procshare::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

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
        const Clock::time_point start = Clock::now();
        compute(n);
        if (seconds_since(start) > 0.25)
            return n + 5;
    }
}

std::vector<unsigned> usable_nodes(Control& control) {
    std::vector<unsigned> nodes;

    for (const Node& node : control.nodes())
        if (node.state == PROCSHARE_NODE_SELF || node.state == PROCSHARE_NODE_UP)
            nodes.push_back(node.id);
    return nodes;
}

// @places: a node for each thread, PROCSHARE_NODE_HOME for those that stay.
double run_threads(Control& control, const std::vector<unsigned>& places, unsigned n) {
    std::vector<std::unique_ptr<Worker>> workers;

    for (const unsigned place : places) {
        workers.push_back(std::make_unique<Worker>([n] { compute(n); }));
        if (place != PROCSHARE_NODE_HOME)
            workers.back()->move(control, place);
    }
    const Clock::time_point start = Clock::now();
    for (const auto& worker : workers)
        worker->start();
    for (const auto& worker : workers)
        worker->join();
    return seconds_since(start);
}

} // namespace

SpeedupResult speedup(const Task& task) {
    const std::vector<unsigned> nodes = usable_nodes(task.control);
    const unsigned home = task.control.self();
    const std::size_t threads = nodes.size() * static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_ONLN));
    const unsigned n = choose_size();
    std::vector<unsigned> spread;

    for (std::size_t i = 0; i < threads; i++)
        spread.push_back(nodes[i % nodes.size()] == home ? PROCSHARE_NODE_HOME : nodes[i % nodes.size()]);
    const double home_s = run_threads(task.control, std::vector<unsigned>(threads, PROCSHARE_NODE_HOME), n);
    const double spread_s = run_threads(task.control, spread, n);
    return {static_cast<unsigned>(threads), static_cast<unsigned>(nodes.size()), home_s, spread_s};
}

} // namespace procshare::bench
