// SPDX-License-Identifier: GPL-2.0-only
// procshare - files that people write: small, and perhaps secret
#pragma once

#include <string>
#include <string_view>

namespace procshare {

struct SmallFile {
    std::string text;
    bool private_to_owner;
};

// @what: the file is, for error messages.  Throws Error.
SmallFile read_small_file(const std::string& path, std::string_view what);

} // namespace procshare
