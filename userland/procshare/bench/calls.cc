// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long a forwarded system call takes, and moving a thread
#include <cerrno>
#include <cstring>

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace procshare::bench {
namespace {

template <typename Call>
Result measure_call(const Task& task, const Call& call) {
    Result result;

    run_on(task.control, task.node, [&] { result = measure(task.count, call); });
    return result;
}

// A file in home's memory, and a buffer for it.
class File {
public:
    explicit File(std::size_t size) : size_(size), fd_(memfd_create("procshare-bench", MFD_CLOEXEC)) {
        if (fd_ < 0 || ftruncate(fd_, page_size) != 0)
            throw Error("cannot make a file in memory: {}", std::strerror(errno));
    }
    ~File() { close(fd_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    // What is read is used, and what is written was made just before: so the buffer is here in between.
    void read() {
        check(pread(fd_, buffer_->bytes, size_, 0));
        touch(0);
    }
    void write() {
        touch(1);
        check(pwrite(fd_, buffer_->bytes, size_, 0));
    }

private:
    struct alignas(page_size) Buffer {
        char bytes[page_size];
    };

    void touch(char more) {
        volatile char& first = buffer_->bytes[0];
        first = static_cast<char>(first + more);
    }
    void check(ssize_t done) const {
        if (done != static_cast<ssize_t>(size_))
            throw Error("a call on a file in memory failed: {}", std::strerror(errno));
    }

    std::size_t size_; // bytes
    int fd_;
    std::unique_ptr<Buffer> buffer_ = std::make_unique<Buffer>();
};

constexpr std::size_t small = 64; // bytes

Result measure_read(const Task& task, std::size_t size) {
    File file(size);

    return measure_call(task, [&](std::size_t) { file.read(); });
}

Result measure_write(const Task& task, std::size_t size) {
    File file(size);

    return measure_call(task, [&](std::size_t) { file.write(); });
}

} // namespace

Result getppid(const Task& task) {
    return measure_call(task, [](std::size_t) { syscall(SYS_getppid); });
}

Result small_read(const Task& task) {
    return measure_read(task, small);
}

Result small_write(const Task& task) {
    return measure_write(task, small);
}

Result page_read(const Task& task) {
    return measure_read(task, page_size);
}

Result page_write(const Task& task) {
    return measure_write(task, page_size);
}

// Nobody sleeps there.
Result futex_wake(const Task& task) {
    int word = 0;

    return measure_call(task, [&](std::size_t) { syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1); });
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

    const Samples samples = sample(monotonic_ns, task.count, [&](std::size_t) {
        there.send();
        back.send();
    });
    const std::uint64_t moves = arrivals(task.control, task.node) - before;
    if (moves != rounds)
        throw Error("the thread went to node {} only {} times out of {}: is the node up?", task.node, moves,
                    rounds);
    return {samples.median(), samples.p99()};
}

} // namespace procshare::bench
