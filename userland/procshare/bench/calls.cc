// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long a forwarded system call takes
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

} // namespace procshare::bench
