// SPDX-License-Identifier: GPL-2.0-only
// procshare - which benchmarks there are, and what each is compared with
#pragma once

#include <span>
#include <string>

#include "inside.hpp"

namespace procshare::bench {

// What of the raw transport, measured in the same run, a benchmark stands beside.
enum class Raw {
    none,
    small, // round trip, 64 bytes out and 64 back
    page,  // round trip, 64 bytes out and a page of 4096 back
    bulk,  // bytes per second, many pages under way
};

struct Benchmark {
    const char* name;
    Raw raw;
    std::size_t count; // samples if nobody says how many
    Result (*run)(const Task&);
};

std::span<const Benchmark> benchmarks();
// Null if there is none.
const Benchmark* find_benchmark(const std::string& name);
// Of all benchmarks, echo first, with commas.
std::string benchmark_names();

constexpr std::size_t chunk_size = 65536; // bytes; the samples of sequential
constexpr std::size_t fill_pages = 64;    // the samples of fill

// faults.cc: a remote thread reads, writes, or writes what it has read: pages that home wrote, ...
Result read_fault(const Task& task);
Result write_fault(const Task& task);
Result upgrade(const Task& task);
// ... that nobody has touched, that a third node wrote, or that all other nodes have read.
Result first_touch(const Task& task);
Result third_read(const Task& task);
Result third_write(const Task& task);
Result write_shared(const Task& task);
// Home reads what a remote thread wrote, and writes what one has read.
Result home_read(const Task& task);
Result home_write(const Task& task);

// sequence.cc: a remote thread reads what home wrote, in order and at random.
Result sequential(const Task& task);
Result random_read(const Task& task);
// It writes what nobody has touched.
Result fill(const Task& task);

// fork.cc: fork at home of what a remote thread wrote, MiB.
Result fork_remote(const Task& task);

// calls.cc: a remote thread makes a call that home executes.
Result getppid(const Task& task);
Result small_read(const Task& task);
Result small_write(const Task& task);
Result page_read(const Task& task);
Result page_write(const Task& task);
Result futex_wake(const Task& task);

// moves.cc: a thread goes to the node and comes back, out only, back only; a new process's first way out.
Result migrate(const Task& task);
Result migrate_out(const Task& task);
Result migrate_back(const Task& task);
Result migrate_first(const Task& task);

// pingpong.cc: a home thread and a remote one write to a page in turn: there and back.
Result ping_pong(const Task& task);

// contention.cc: threads on all nodes write to one word, take a mutex, or write to neighbouring words.
Result hot_page(const Task& task);
Result mutex(const Task& task);
Result false_sharing(const Task& task);

// barrier.cc: threads on all nodes meet.
Result barrier(const Task& task);

// speedup.cc: computing threads, first all at home, then spread over all nodes.
Result speedup(const Task& task);

} // namespace procshare::bench
