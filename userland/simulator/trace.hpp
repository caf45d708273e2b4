// SPDX-License-Identifier: GPL-2.0-only
// procshare - trace: what threads have asked for in a real run, as text
//
// A line per page that was asked for, in any order:
//
//   TIME NODE THREAD PAGE KIND [WAITED [zero]]
//
// TIME and WAITED in ns (WAITED: until the thread had the page, 0 if not known), PAGE in hexadecimal, the
// address divided by 4096.  Lines that begin with # are comments.
//
//   r w   a fault, to read or to write
//   R W   asked for by the thread although none has touched it: what is likely to follow, what moves at home
//   d     home takes the page away from all, unread
//
// `zero`: home's page has never been touched, which is said instead of sending it.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "workload.hpp"

namespace procshare::simulator {

struct Request {
    enum class Kind { fault, ahead, discard };
    Nanoseconds time = 0;
    unsigned node = 0;
    unsigned thread = 0;
    std::uint64_t page = 0;
    Kind kind = Kind::fault;
    bool write = false;
    Nanoseconds waited = 0;
    bool zero = false;

    bool is_write() const { return write || kind == Kind::discard; }
    auto operator<=>(const Request&) const = default;
};

// Throws Error that names @name and the line.
std::vector<Request> read_trace(std::istream& input, const std::string& name);
void write_trace(std::ostream& output, const std::vector<Request>& requests);

} // namespace procshare::simulator
