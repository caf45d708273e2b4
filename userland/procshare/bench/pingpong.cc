// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long a page takes to a remote thread and back when both keep writing to it
#include "inside.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace procshare::bench {

namespace {

struct alignas(page_size) Ball {
    std::atomic<std::size_t> strokes{0};

    // Waits for the other side's stroke, then makes the next one.
    void strike(std::size_t expected) {
        while (strokes.load(std::memory_order_acquire) != expected)
            __builtin_ia32_pause();
        strokes.store(expected + 1, std::memory_order_release);
    }
};

} // namespace

Result ping_pong(const Task& task) {
    const auto ball = std::make_unique<Ball>();
    const std::size_t rounds = warm_up_rounds + task.count;

    Worker remote([&ball = *ball, rounds] {
        for (std::size_t round = 0; round < rounds; round++)
            ball.strike(2 * round + 1);
    });
    remote.move(task.control, task.node);
    remote.start();
    const Result result = measure(task.count, [&](std::size_t round) { ball->strike(2 * round); });
    remote.join();
    return result;
}

} // namespace procshare::bench
