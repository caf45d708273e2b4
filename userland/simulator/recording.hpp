// SPDX-License-Identifier: GPL-2.0-only
// procshare - recording: what the trace events of all nodes together say about a run
#pragma once

#include <cstdint>
#include <vector>

#include "ftrace.hpp"
#include "result.hpp"
#include "trace.hpp"

namespace procshare::simulator {

// The events of each node, one node after the other.
using NodeEvents = std::vector<std::vector<TraceEvent>>;

// Leaves only the events of @process.
void only_process(NodeEvents& nodes, std::uint64_t process);

// By how much each node's clock is ahead of the first one's, from the messages between them: the fastest of
// each direction are taken to be equally fast.  Throws Error when nodes have said nothing to each other.
std::vector<Nanoseconds> clock_differences(const NodeEvents& nodes);
void set_clocks(NodeEvents& nodes);

struct Recording {
    std::vector<Request> requests; // what to repeat; those that home refused are not among them
    Result measured;               // what it has cost
    unsigned refused = 0;          // faults
};

// Of one shared process.  Throws Error if there are several, or none.
Recording make_recording(const NodeEvents& nodes);

} // namespace procshare::simulator
