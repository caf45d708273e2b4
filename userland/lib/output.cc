// SPDX-License-Identifier: GPL-2.0-only
#include "output.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "error.hpp"

namespace procshare {

void print_json(const nlohmann::json& json, std::FILE* stream) {
    fmt::print(stream, "{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void flush_output() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
        throw Error("cannot write the output: {}", std::strerror(errno));
}

void complain(const std::string& what) {
    std::fputs(fmt::format("procshare: {}\n", what).c_str(), stderr);
}

} // namespace procshare
