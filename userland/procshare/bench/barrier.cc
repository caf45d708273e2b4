// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long threads on several nodes take to meet
#include <memory>

#include "barrier.hpp"
#include "inside.hpp"
#include "nodes.hpp"
#include "table.hpp"

namespace procshare::bench {

// The samples of all threads together.
Result barrier(const Task& task) {
    const std::vector<unsigned> nodes = places(task);
    const auto barrier = std::make_unique<Barrier>(nodes.size());
    std::vector<Samples> samples(nodes.size(), Samples(0));
    Samples all(0);

    run_on_all(task.control, nodes, [&](std::size_t me) {
        samples[me] = sample(monotonic_ns, task.count, [&](std::size_t) { barrier->wait(); });
    });
    for (const Samples& one : samples)
        all.append(one);
    all.sort();
    return {all.median(), all.p99(), {{"threads", static_cast<double>(nodes.size())}}};
}

} // namespace procshare::bench
