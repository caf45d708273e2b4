// SPDX-License-Identifier: GPL-2.0-only
// procshare - what a terminal may be shown of names that programs give themselves
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace procshare {

// @text with bytes that are not UTF-8 and characters that cannot be printed written as \x1b.
std::string printable(std::string_view text);
// How many columns of a terminal printable @text takes.
std::size_t columns(std::string_view text);

} // namespace procshare
