// SPDX-License-Identifier: GPL-2.0-only
// procshare - memory that the benchmarks take page faults on
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include <sys/mman.h>

#include "error.hpp"
#include "worker.hpp"

namespace procshare::bench {

// So far from each other that faults on them tell nothing about the next one.
constexpr std::size_t far_apart = 64;

// Pages that nobody has touched, so many of them from one to the next.
class Pages {
public:
    explicit Pages(std::size_t count, std::size_t apart) : count_(count), apart_(apart) {
        void* const memory =
            mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (memory == MAP_FAILED)
            throw Error("no memory for {} pages: {}", count, std::strerror(errno));
        memory_ = static_cast<volatile char*>(memory);
        madvise(memory, size(), MADV_NOHUGEPAGE);
    }
    ~Pages() { munmap(const_cast<char*>(memory_), size()); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    void read(std::size_t page) const { static_cast<void>(*at(page)); }
    void write(std::size_t page) const { *at(page) = 1; }
    void read_all() const {
        for (std::size_t page = 0; page < count_; page++)
            read(page);
    }
    void write_all() const {
        for (std::size_t page = 0; page < count_; page++)
            write(page);
    }

    // All pages once.
    std::vector<std::size_t> random_order() const {
        std::vector<std::size_t> order(count_);

        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), std::mt19937(1));
        return order;
    }

private:
    std::size_t size() const { return count_ * apart_ * page_size; }
    volatile char* at(std::size_t page) const { return memory_ + page * apart_ * page_size; }

    std::size_t count_;
    std::size_t apart_;
    volatile char* memory_ = nullptr;
};

// Reads @pages in their random order on the calling thread's node.
inline Result measure_reads(const Pages& pages, std::size_t count) {
    const std::vector<std::size_t> order = pages.random_order();

    return measure(count, [&](std::size_t round) { pages.read(order[round]); });
}

// The same with writes.
inline Result measure_writes(const Pages& pages, std::size_t count) {
    const std::vector<std::size_t> order = pages.random_order();

    return measure(count, [&](std::size_t round) { pages.write(order[round]); });
}

} // namespace procshare::bench
