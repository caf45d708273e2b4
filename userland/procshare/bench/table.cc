// SPDX-License-Identifier: GPL-2.0-only
#include "table.hpp"

#include <array>

namespace procshare::bench {
namespace {

constexpr std::size_t samples = 1000;
constexpr std::size_t chunks = 1024; // 64 MiB
constexpr std::size_t fills = 128;   // 32 MiB
constexpr std::size_t mebibytes = 64;
constexpr std::size_t milliseconds = 1000; // for those that count what gets done
constexpr std::size_t processes = 100;

constexpr std::array table{
    Benchmark{"read-fault", Raw::page, samples, read_fault},
    Benchmark{"write-fault", Raw::page, samples, write_fault},
    Benchmark{"upgrade", Raw::small, samples, upgrade},
    Benchmark{"first-touch", Raw::small, samples, first_touch},
    Benchmark{"third-read", Raw::page, samples, third_read},
    Benchmark{"third-write", Raw::page, samples, third_write},
    Benchmark{"write-shared", Raw::page, samples, write_shared},
    Benchmark{"home-read", Raw::page, samples, home_read},
    Benchmark{"home-write", Raw::small, samples, home_write},
    Benchmark{"sequential", Raw::bulk, chunks, sequential},
    Benchmark{"random", Raw::page, samples, random_read},
    Benchmark{"fill", Raw::small, fills, fill},
    Benchmark{"fork", Raw::bulk, mebibytes, fork_remote},
    Benchmark{"getppid", Raw::small, samples, getppid},
    Benchmark{"read-64", Raw::small, samples, small_read},
    Benchmark{"write-64", Raw::small, samples, small_write},
    Benchmark{"read-4k", Raw::page, samples, page_read},
    Benchmark{"write-4k", Raw::page, samples, page_write},
    Benchmark{"futex-wake", Raw::small, samples, futex_wake},
    Benchmark{"migrate", Raw::small, samples, migrate},
    Benchmark{"migrate-out", Raw::small, samples, migrate_out},
    Benchmark{"migrate-back", Raw::small, samples, migrate_back},
    Benchmark{"migrate-first", Raw::small, processes, migrate_first},
    Benchmark{"ping-pong", Raw::page, samples, ping_pong},
    Benchmark{"hot-page", Raw::page, milliseconds, hot_page},
    Benchmark{"false-sharing", Raw::none, milliseconds, false_sharing},
    Benchmark{"mutex", Raw::page, milliseconds, mutex},
    Benchmark{"barrier", Raw::page, samples, barrier},
    Benchmark{"speedup", Raw::none, 1, speedup},
};

} // namespace

std::span<const Benchmark> benchmarks() {
    return table;
}

const Benchmark* find_benchmark(const std::string& name) {
    for (const Benchmark& benchmark : table)
        if (name == benchmark.name)
            return &benchmark;
    return nullptr;
}

std::string benchmark_names() {
    std::string names = "echo";

    for (const Benchmark& benchmark : table)
        names += std::string(", ") + benchmark.name;
    return names;
}

} // namespace procshare::bench
