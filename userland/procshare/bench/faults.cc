// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long a thread waits for a page: a benchmark for each row of the protocol's table
#include "inside.hpp"
#include "nodes.hpp"
#include "pages.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace procshare::bench {
namespace {

std::size_t rounds(const Task& task) {
    return warm_up_rounds + task.count;
}

// What @measured says on the node after @prepare, which was done there, too.
template <typename Prepare, typename Measured>
Result on_node(const Task& task, const Prepare& prepare, const Measured& measured) {
    const Pages pages(rounds(task), far_apart);
    Result result;

    prepare(pages);
    run_on(task.control, task.node, [&] { result = measured(pages, task.count); });
    return result;
}

void home_writes(const Pages& pages) {
    pages.write_all();
}

} // namespace

Result read_fault(const Task& task) {
    return on_node(task, home_writes, measure_reads);
}

Result write_fault(const Task& task) {
    return on_node(task, home_writes, measure_writes);
}

Result first_touch(const Task& task) {
    return on_node(
        task, [](const Pages&) {}, measure_writes);
}

Result upgrade(const Task& task) {
    return on_node(task, home_writes, [](const Pages& pages, std::size_t count) {
        pages.read_all();
        return measure_writes(pages, count);
    });
}

Result third_read(const Task& task) {
    const unsigned owner = other_nodes(task).front();

    return on_node(
        task, [&](const Pages& pages) { run_on(task.control, owner, [&] { pages.write_all(); }); },
        measure_reads);
}

Result third_write(const Task& task) {
    const unsigned owner = other_nodes(task).front();

    return on_node(
        task, [&](const Pages& pages) { run_on(task.control, owner, [&] { pages.write_all(); }); },
        measure_writes);
}

// Home's copy is valid, and all nodes but one have another.
Result write_shared(const Task& task) {
    const std::vector<unsigned> sharers = other_nodes(task);
    const auto share = [&](const Pages& pages) {
        pages.write_all();
        for (const unsigned sharer : sharers)
            run_on(task.control, sharer, [&] { pages.read_all(); });
    };
    Result result = on_node(task, share, measure_writes);

    result.figures.push_back({"sharers", static_cast<double>(sharers.size())});
    return result;
}

Result home_read(const Task& task) {
    const Pages pages(rounds(task), far_apart);

    run_on(task.control, task.node, [&] { pages.write_all(); });
    return measure_reads(pages, task.count);
}

Result home_write(const Task& task) {
    const Pages pages(rounds(task), far_apart);

    pages.write_all();
    run_on(task.control, task.node, [&] { pages.read_all(); });
    return measure_writes(pages, task.count);
}

} // namespace procshare::bench
