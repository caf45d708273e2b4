// SPDX-License-Identifier: GPL-2.0-only
// procshare - trace: page faults of a real run, as text, and as a workload
//
// A line per fault, in any order:
//
//   TIME NODE THREAD PAGE KIND [WAITED]
//
// TIME and WAITED in ns (WAITED: until the page was there, 0 if not known), PAGE in hexadecimal, the address
// divided by 4096, KIND r or w.  Lines that begin with # are comments.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "workload.hpp"

namespace procshare::simulator {

struct Fault {
    Nanoseconds time = 0;
    unsigned node = 0;
    unsigned thread = 0;
    std::uint64_t page = 0;
    bool write = false;
    Nanoseconds waited = 0;
    auto operator<=>(const Fault&) const = default;
};

// Throws Error that names @name and the line.
std::vector<Fault> read_trace(std::istream& input, const std::string& name);
void write_trace(std::ostream& output, const std::vector<Fault>& faults);

// Each thread repeats its faults in order and computes in between for as long as it did.  Nodes keep their
// numbers, pages get small ones.  Throws Error if there is nothing in it.
std::unique_ptr<Workload> make_replay(const std::vector<Fault>& faults);

} // namespace procshare::simulator
