// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long a remote thread waits for a page
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <random>

#include <sys/mman.h>

#include "inside.hpp"
#include "worker.hpp"

namespace procshare::bench {
namespace {

// Pages that home owns when the remote thread begins.
class Pages {
public:
    explicit Pages(std::size_t count) : count_(count) {
        void* const memory =
            mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
            throw Error("no memory for {} pages: {}", count, std::strerror(errno));
        memory_ = static_cast<volatile char*>(memory);
        madvise(memory, size(), MADV_NOHUGEPAGE);
        for (std::size_t page = 0; page < count_; page++)
            write(page);
    }
    ~Pages() { munmap(const_cast<char*>(memory_), size()); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    void read(std::size_t page) const { static_cast<void>(memory_[page * page_size]); }
    void write(std::size_t page) const { memory_[page * page_size] = 1; }

    // All pages once, so that nothing can be read ahead.
    std::vector<std::size_t> random_order() const {
        std::vector<std::size_t> order(count_);

        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), std::mt19937(1));
        return order;
    }

private:
    std::size_t size() const { return count_ * page_size; }

    std::size_t count_;
    volatile char* memory_ = nullptr;
};

// @prepare and @touch run on the node; @touch is what is timed.
template <typename Prepare, typename Touch>
Result measure_pages(const Task& task, const Prepare& prepare, const Touch& touch) {
    const Pages pages(warm_up_rounds + task.count);
    Result result;

    run_on(task.control, task.node, [&] {
        const std::vector<std::size_t> order = pages.random_order();
        for (const std::size_t page : order)
            prepare(pages, page);
        result = measure(task.count, [&](std::size_t round) { touch(pages, order[round]); });
    });
    return result;
}

void nothing(const Pages&, std::size_t) {}
void read(const Pages& pages, std::size_t page) {
    pages.read(page);
}
void write(const Pages& pages, std::size_t page) {
    pages.write(page);
}

} // namespace

Result read_fault(const Task& task) {
    return measure_pages(task, nothing, read);
}

Result write_fault(const Task& task) {
    return measure_pages(task, nothing, write);
}

Result upgrade(const Task& task) {
    return measure_pages(task, read, write);
}

} // namespace procshare::bench
