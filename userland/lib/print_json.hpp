// SPDX-License-Identifier: GPL-2.0-only
// procshare - JSON output: one line, valid whatever bytes programs have as their names
#pragma once

#include <cstdio>

#include <nlohmann/json_fwd.hpp>

namespace procshare {

// Bytes that are not UTF-8 become U+FFFD.
void print_json(const nlohmann::json& json, std::FILE* stream = stdout);

} // namespace procshare
