// SPDX-License-Identifier: GPL-2.0-only
#include "worker.hpp"

#include <chrono>

#include <unistd.h>

namespace procshare::bench {

Worker::Worker(std::function<void()> work) : work_(std::move(work)), thread_([this] { run(); }) {
    while (!flags_->tid)
        std::this_thread::yield();
}

Worker::~Worker() {
    if (!thread_.joinable())
        return;
    if (flags_->state == State::wait)
        flags_->state = State::call_off;
    thread_.join();
}

// Spins without a system call: that would be forwarded, and bring traffic to where it is not wanted.
void Worker::run() {
    flags_->tid = gettid();
    while (flags_->state == State::wait)
        __builtin_ia32_pause();
    if (flags_->state == State::call_off)
        return;
    try {
        work_();
    } catch (...) {
        thrown_ = std::current_exception();
    }
}

bool Worker::arrived(Control& control, unsigned node) const {
    for (const Process& process : control.processes())
        for (const Thread& thread : process.threads)
            if (thread.tid == static_cast<unsigned>(flags_->tid))
                return thread.node == node;
    return false;
}

void Worker::move(Control& control, unsigned node) {
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + 10s;

    control.migrate(getpid(), flags_->tid, node);
    while (!arrived(control, node)) {
        if (std::chrono::steady_clock::now() > deadline)
            throw Error(
                "the thread did not arrive on node {} within 10 s: 'procshare node list' shows its state",
                node);
        std::this_thread::sleep_for(1ms);
    }
}

void Worker::join() {
    thread_.join();
    if (thrown_)
        std::rethrow_exception(thrown_);
}

void run_on(Control& control, unsigned node, const std::function<void()>& work) {
    Worker worker(work);

    worker.move(control, node);
    worker.start();
    worker.join();
}

} // namespace procshare::bench
