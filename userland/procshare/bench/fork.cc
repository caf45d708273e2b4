// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long fork takes when another node has the memory
#include <cerrno>
#include <cstring>

#include <sys/wait.h>
#include <unistd.h>

#include "inside.hpp"
#include "pages.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace procshare::bench {

namespace {

constexpr std::size_t pages_per_mib = (1 << 20) / page_size;

std::uint64_t pages_come_home(Control& control) {
    const unsigned self = control.self();

    for (const Process& process : control.processes())
        if (process.pid == static_cast<unsigned>(::getpid()))
            for (const Usage& usage : process.statistics.usage)
                if (usage.node == self)
                    return usage[PROCSHARE_A_USAGE_PAGES_IN];
    return 0;
}

// Nanoseconds that the parent spends in the call; the child does nothing.
std::uint64_t fork_once() {
    const std::uint64_t start = monotonic_ns();
    const pid_t child = ::fork();
    const std::uint64_t end = monotonic_ns();

    if (child == 0)
        ::_exit(0);
    if (child < 0)
        throw Error("cannot fork: {}", std::strerror(errno));
    ::waitpid(child, nullptr, 0);
    return end - start;
}

} // namespace

// So many MiB that a remote thread has written: all of it must come home to be copied.
Result fork_remote(const Task& task) {
    const Pages pages(task.count * pages_per_mib, 1);

    run_on(task.control, task.node, [&] { pages.write_all(); });
    const std::uint64_t before = pages_come_home(task.control);
    const double seconds = static_cast<double>(fork_once()) / 1e9;
    const auto moved = static_cast<double>(pages_come_home(task.control) - before);
    const double bytes = moved * page_size;

    return {.figures = {{"fork_s", seconds}, {"bytes", bytes}, {"bytes_per_s", bytes / seconds}}};
}

} // namespace procshare::bench
