// SPDX-License-Identifier: GPL-2.0-only
// procshare - engine: runs the kernel's coherence machines through simulated time
#pragma once

#include "network.hpp"
#include "result.hpp"
#include "workload.hpp"

namespace procshare::simulator {

// What things cost; the defaults are assumptions about an ordinary server with 10 Gbit/s Ethernet.
struct Costs {
    Link link;
    Nanoseconds service = 2'000;     // handling one message, at its receiver
    Nanoseconds sending = 500;       // handing one message to the network
    Nanoseconds copy = 500;          // copying one page, at the sender and at the receiver
    Nanoseconds trap = 1'000;        // from the access to the request
    Nanoseconds wake = 3'000;        // from the grant to the access
    Nanoseconds hold = 100'000;      // a node keeps a page for so long after an access (HOLD_MAPPED_NS)
    Nanoseconds home_hold = 300'000; // and home (HOME_HOLD_NS)
    unsigned servers = 1;            // messages that a node handles at the same time
};

struct EngineOptions {
    Costs costs;
    // The home of page p is node p modulo nodes, instead of node 0 for all.
    bool distributed = false;
};

// Runs @workload to its end.  Throws Error if a page has more than 64 nodes, or if the machines break a
// rule of the protocol (which is a bug of theirs).
Result simulate(Workload& workload, const EngineOptions& options);

} // namespace procshare::simulator
