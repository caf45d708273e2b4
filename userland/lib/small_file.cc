// SPDX-License-Identifier: GPL-2.0-only
#include "small_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.hpp"

namespace procshare {
namespace {

constexpr std::size_t most_bytes = 64 * 1024;

class Descriptor {
public:
    // A pipe is not waited for.
    explicit Descriptor(const std::string& path)
        : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~Descriptor() {
        if (fd >= 0)
            close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    const int fd;
};

[[noreturn]] void fail(const std::string& path, std::string_view what, std::string_view why) {
    throw Error("cannot read the {} {}: {}", what, path, why);
}

} // namespace

SmallFile read_small_file(const std::string& path, std::string_view what) {
    const Descriptor file(path);
    struct stat status {};
    std::string text(most_bytes + 1, 0);

    if (file.fd < 0 || fstat(file.fd, &status) != 0)
        fail(path, what, std::strerror(errno));
    if (!S_ISREG(status.st_mode))
        fail(path, what, "it is not a regular file");
    const ssize_t size = read(file.fd, text.data(), text.size());
    if (size < 0)
        fail(path, what, std::strerror(errno));
    if (static_cast<std::size_t>(size) > most_bytes)
        fail(path, what, fmt::format("it has more than {} KiB", most_bytes / 1024));
    text.resize(static_cast<std::size_t>(size));
    return {text, (status.st_mode & 077) == 0};
}

} // namespace procshare
