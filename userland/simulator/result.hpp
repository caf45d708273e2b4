// SPDX-License-Identifier: GPL-2.0-only
// procshare - result: what a simulated run has cost
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "workload.hpp"

extern "C" {
#include "coherence.h"
}

namespace procshare::simulator {

// The rows of the protocol's table of faults.
enum class Row {
    remote_read_home,    // home's copy is valid
    remote_read_third,   // another node is owner or source
    remote_write_alone,  // no other copy, or it is the sole sharer
    remote_write_shared, // other holders give up their copies
    remote_write_third,  // another node owns
    home_write,
    home_read,
    local, // served without a message
};
inline constexpr std::size_t rows = 8;
const char* row_name(Row row);
// Of the request that home serves next.
Row next_row(const coh_home& home);

struct RowCount {
    std::vector<Nanoseconds> latencies; // of each fault, until the access was done
};

struct NodeLoad {
    Nanoseconds service = 0;    // time spent with messages, of all its servers
    Nanoseconds out = 0;        // time its link was sending
    Nanoseconds in = 0;         // and receiving
    std::uint64_t messages = 0; // served here
};

struct Result {
    unsigned nodes = 0;
    unsigned servers = 1;
    bool distributed = false;
    Nanoseconds makespan = 0;
    std::uint64_t accesses = 0;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t pages = 0;                            // sent over the network
    std::array<std::uint64_t, COH_FLUSHED + 1> types{}; // messages, by enum coh_type
    std::array<RowCount, rows> faults;
    std::vector<NodeLoad> load;

    std::uint64_t fault_count() const;
    Nanoseconds waited() const; // of all faults together
    // The share of the makespan for which something of @node was busy, 0 to 1.
    double service_use(unsigned node) const;
    double link_use(unsigned node) const; // the busier direction
};

// The @share (0 to 1) quantile; 0 if there are none.
Nanoseconds quantile(std::vector<Nanoseconds> values, double share);

std::string format_faults(const Result& result);
std::string format_result(const Result& result);
// Schema procshare.sim/1.
nlohmann::json json_result(const Result& result);

} // namespace procshare::simulator
