// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long a forwarded system call takes, and moving a thread
#include <sys/syscall.h>
#include <unistd.h>

#include "inside.hpp"
#include "worker.hpp"

namespace procshare::bench {

Result getppid(const Task& task) {
    Result result;

    run_on(task.control, task.node,
           [&] { result = measure(task.count, [](std::size_t) { syscall(SYS_getppid); }); });
    return result;
}

static std::uint64_t arrivals(Control& control, unsigned node) {
    for (const Process& process : control.processes())
        if (process.pid == static_cast<unsigned>(::getpid()))
            for (const Usage& usage : process.statistics.usage)
                if (usage.node == node)
                    return usage[PROCSHARE_A_USAGE_ARRIVALS];
    return 0;
}

// The thread asks for its own moves, with requests made beforehand; the second one is a forwarded call.  The
// order to come home follows the answer, so that a round may begin just before the thread leaves the node.
Result migrate(const Task& task) {
    const Control unanswered; // its own socket: libnl counts requests and answers
    const netlink::Prepared there = unanswered.prepare_migrate(::getpid(), ::gettid(), task.node);
    const netlink::Prepared back = unanswered.prepare_migrate(::getpid(), ::gettid(), PROCSHARE_NODE_HOME);
    const std::uint64_t before = arrivals(task.control, task.node);
    const std::size_t rounds = warm_up_rounds + task.count;

    const Result result = measure_on(monotonic_ns, 1, task.count, [&](std::size_t) {
        there.send();
        back.send();
    });
    const std::uint64_t moves = arrivals(task.control, task.node) - before;
    if (moves != rounds)
        throw Error("the thread went to node {} only {} times out of {}: is the node up?", task.node, moves,
                    rounds);
    return result;
}

} // namespace procshare::bench
