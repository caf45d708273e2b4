// SPDX-License-Identifier: GPL-2.0-only
// procshare - ftrace: page faults out of the kernel's trace events
//
// Reads what tracefs' file `trace` and `trace-cmd report` print of the events procshare_fault,
// procshare_coherence_send and procshare_coherence_receive; other lines are passed over.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "trace.hpp"

namespace procshare::simulator {

struct ConvertOptions {
    // Only this shared process (its 64-bit id), 0: all.
    std::uint64_t process = 0;
};

// Faults of remote nodes are procshare_fault, with the thread's pid on that node.  Home's are the FWD that it
// sends for itself, and those INV whose answers it awaits, as thread 0 of home; what home's notifiers recall
// looks the same.  WAITED is known where the GRANT's arrival was traced.  Throws Error that names @name and
// the line when a line of these events is not understood.
std::vector<Fault> read_ftrace(std::istream& input, const std::string& name, const ConvertOptions& options);

} // namespace procshare::simulator
