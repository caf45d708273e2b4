// SPDX-License-Identifier: GPL-2.0-only
#include "print_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace procshare {

void print_json(const nlohmann::json& json, std::FILE* stream) {
    fmt::print(stream, "{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

} // namespace procshare
