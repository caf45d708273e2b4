// SPDX-License-Identifier: GPL-2.0-only
// procshare - ftrace: the kernel's trace events, read from their text
//
// Reads what tracefs' file `trace` and `trace-cmd report` print of the events procshare_fault,
// procshare_fault_end, procshare_coherence_send and procshare_coherence_receive; other lines are passed over.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "workload.hpp"

extern "C" {
#include "coherence.h"
}

namespace procshare::simulator {

struct TraceEvent {
    enum class Kind { fault, fault_end, send, receive };
    Kind kind = Kind::fault;
    Nanoseconds time = 0;
    unsigned pid = 0;  // of the task that was running
    unsigned node = 0; // where it was
    std::uint64_t process = 0;
    std::uint64_t page = 0; // the address divided by 4096
    coh_access access = COH_NONE;
    bool mapped = false; // fault_end: the thread has its page
    bool data = false;   // a message: the page itself travels along
    coh_msg message{};   // with COH_DATA also for a page of zeros, which does not
};

// Throws Error that names @name and the line when a line of these events is not understood, or when they are
// those of several nodes.
std::vector<TraceEvent> read_ftrace(std::istream& input, const std::string& name);

} // namespace procshare::simulator
