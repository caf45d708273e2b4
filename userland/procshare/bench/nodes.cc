// SPDX-License-Identifier: GPL-2.0-only
#include "nodes.hpp"

#include <chrono>
#include <memory>

#include "worker.hpp"

namespace procshare::bench {

std::vector<unsigned> usable_nodes(const Task& task) {
    std::vector<unsigned> nodes;

    for (const Node& node : task.control.nodes()) {
        const bool wanted = !task.nodes || (task.nodes & node_bit(node.id));
        if (wanted && (node.state == PROCSHARE_NODE_SELF || node.state == PROCSHARE_NODE_UP))
            nodes.push_back(node.id);
    }
    if (nodes.empty())
        throw Error("none of these nodes is up: 'procshare node list' shows why");
    return nodes;
}

std::vector<unsigned> places(const Task& task) {
    const std::vector<unsigned> nodes = usable_nodes(task);
    const std::size_t threads = task.threads ? task.threads : nodes.size();
    std::vector<unsigned> places;

    for (std::size_t i = 0; i < threads; i++)
        places.push_back(nodes[i % nodes.size()]);
    return places;
}

std::vector<unsigned> other_nodes(const Task& task) {
    std::vector<unsigned> nodes = usable_nodes(task);
    const unsigned home = task.control.self();

    std::erase_if(nodes, [&](unsigned node) { return node == home || node == task.node; });
    if (nodes.empty())
        throw Error("this benchmark needs a third node: 'procshare node list' shows which are up");
    return nodes;
}

double run_on_all(Control& control, const std::vector<unsigned>& nodes,
                  const std::function<void(std::size_t)>& work) {
    using Clock = std::chrono::steady_clock;
    std::vector<std::unique_ptr<Worker>> workers;
    const unsigned home = control.self();

    for (std::size_t i = 0; i < nodes.size(); i++) {
        workers.push_back(std::make_unique<Worker>([&work, i] { work(i); }));
        if (nodes[i] != home)
            workers.back()->move(control, nodes[i]);
    }
    const Clock::time_point start = Clock::now();
    for (const auto& worker : workers)
        worker->start();
    for (const auto& worker : workers)
        worker->join();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

} // namespace procshare::bench
