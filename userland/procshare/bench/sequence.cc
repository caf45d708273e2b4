// SPDX-License-Identifier: GPL-2.0-only
// procshare - what asking for pages ahead gives to those who go in order, and costs those who do not
#include "inside.hpp"
#include "pages.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace procshare::bench {
namespace {

// Untouched pages, written in the order of @page; fill_pages of them are a sample.
Samples fill_with(const Task& task, const Pages& pages, const auto& page) {
    return sample(ticks, task.count, [&](std::size_t round) {
        for (std::size_t i = 0; i < fill_pages; i++)
            pages.write(page(round * fill_pages + i));
    });
}

} // namespace

// A sample is a chunk that home has written.
Result sequential(const Task& task) {
    constexpr std::size_t pages_per_chunk = chunk_size / page_size;
    const Pages pages((warm_up_rounds + task.count) * pages_per_chunk, 1);
    Result result;

    pages.write_all();
    run_on(task.control, task.node, [&] {
        const Samples samples = sample(ticks, task.count, [&](std::size_t chunk) {
            for (std::size_t i = 0; i < pages_per_chunk; i++)
                pages.read(chunk * pages_per_chunk + i);
        });
        const double unit_ns = ns_per_tick();
        const double seconds = samples.sum() * unit_ns / 1e9;
        const double bytes = static_cast<double>(task.count) * chunk_size;
        result = {samples.median() * unit_ns,
                  samples.p99() * unit_ns,
                  {{"bytes", bytes}, {"bytes_per_s", bytes / seconds}}};
    });
    return result;
}

// Neighbours in random order, and single pages, ahead of which nothing is read for certain.
Result random_read(const Task& task) {
    const Pages pages(warm_up_rounds + task.count, 1);
    const Pages singles(warm_up_rounds + task.count, far_apart);
    Result single, result;

    pages.write_all();
    singles.write_all();
    run_on(task.control, task.node, [&] {
        single = measure_reads(singles, task.count);
        result = measure_reads(pages, task.count);
    });
    result.figures = {{"single_median_ns", single.median_ns},
                      {"of_single", result.median_ns / single.median_ns}};
    return result;
}

// Neighbours that nobody has touched, in random order and in order.
Result fill(const Task& task) {
    const std::size_t count = (warm_up_rounds + task.count) * fill_pages;
    const Pages some(count, 1), others(count, 1);
    Result result;

    run_on(task.control, task.node, [&] {
        const std::vector<std::size_t> order = some.random_order();
        const Samples random = fill_with(task, some, [&](std::size_t i) { return order[i]; });
        const Samples ordered = fill_with(task, others, [](std::size_t i) { return i; });
        const double unit_ns = ns_per_tick() / fill_pages;

        result = {random.median() * unit_ns,
                  random.p99() * unit_ns,
                  {{"in_order_median_ns", ordered.median() * unit_ns},
                   {"in_order_p99_ns", ordered.p99() * unit_ns}}};
    });
    return result;
}

} // namespace procshare::bench
