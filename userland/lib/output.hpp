// SPDX-License-Identifier: GPL-2.0-only
// procshare - what the commands print: all of it, and JSON that is valid whatever names programs have
#pragma once

#include <cstdio>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace procshare {

// One line.  Bytes that are not UTF-8 become U+FFFD.
void print_json(const nlohmann::json& json, std::FILE* stream = stdout);
// To be called last: throws Error if something could not be written.
void flush_output();
// One line on stderr.  Where that cannot be written there is nobody to tell.
void complain(const std::string& what);

} // namespace procshare
