// SPDX-License-Identifier: GPL-2.0-only
// procshare - what reading ahead gives to those who read in order, and costs those who do not
#include "inside.hpp"
#include "pages.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace procshare::bench {

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

} // namespace procshare::bench
