// SPDX-License-Identifier: GPL-2.0-only
//
// Random walks: up to 64 nodes, many pages and threads, one behaviour at a time
// instead of all of them.  The same seed gives the same walk.
//
// Links keep messages in order per pair of nodes, for all pages together.
#pragma once

#include <cstdint>
#include <string>

namespace procshare::checker {

struct WalkConfig {
    unsigned nodes = 64; // home included, 2 to 64
    unsigned pages = 16;
    unsigned threads = 2;          // per node
    std::uint64_t steps = 100'000; // events before the walk is led to its end
    std::uint64_t seed = 1;
    unsigned losses = 0;
    bool changes = true; // of home's mapping: discard, protect, fork
    bool puts = true;    // nodes give pages back
};

struct WalkResult {
    std::uint64_t events = 0;
    std::uint64_t reads = 0, writes = 0; // that threads have made
    std::uint64_t messages = 0;
    std::uint64_t refused = 0; // accesses to lost pages
    unsigned lost_nodes = 0;
    std::string violation; // empty: none
    std::string trace;     // what happened to the page before
};

WalkResult walk(const WalkConfig& config);

} // namespace procshare::checker
