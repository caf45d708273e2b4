// SPDX-License-Identifier: GPL-2.0-only
// procshare - a thread of the benchmark itself that is put onto a node and works there
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include <sys/types.h>

#include "control.hpp"

namespace procshare::bench {

constexpr std::size_t page_size = 4096;

class Worker {
public:
    // The thread waits at home.
    explicit Worker(std::function<void()> work);
    // Calls the work off if it has not been started.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Returns when the waiting thread has arrived.  Throws Error.
    void move(Control& control, unsigned node);
    void start() { flags_->state = State::start; }
    // Throws what the work threw.
    void join();

private:
    enum class State { wait, start, call_off };
    // On a page of their own, so that waiting disturbs nobody.
    struct alignas(page_size) Flags {
        std::atomic<pid_t> tid{0};
        std::atomic<State> state{State::wait};
    };

    void run();
    bool arrived(Control& control, unsigned node) const;

    std::function<void()> work_;
    std::unique_ptr<Flags> flags_ = std::make_unique<Flags>();
    std::exception_ptr thrown_;
    std::thread thread_;
};

// Runs @work in a thread on @node; returns when it is done.
void run_on(Control& control, unsigned node, const std::function<void()>& work);

} // namespace procshare::bench
