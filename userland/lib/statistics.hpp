// SPDX-License-Identifier: GPL-2.0-only
// procshare - what a shared process did, node by node, and why its threads came home
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <linux/procshare.h>

namespace procshare {

// Indexed by attribute - PROCSHARE_A_USAGE_FAULT_READ.
constexpr std::array<std::string_view, PROCSHARE_A_USAGE_MAX - PROCSHARE_A_USAGE_FAULT_READ + 1>
    counter_names{"fault_read", "fault_write", "fault_upgrade", "pages_in",    "pages_out", "invalidations",
                  "messages",   "bytes",       "calls",         "calls_local", "arrivals",  "departures"};

// Indexed by attribute - PROCSHARE_A_REASONS_ASKED.
constexpr std::array<std::string_view, PROCSHARE_A_REASONS_MAX> reason_names{
    "asked", "signal", "call", "fault", "memory", "bounce", "traced", "error"};

// One node's share of a shared process.
struct Usage {
    unsigned node = 0;
    unsigned threads = 0; // hosted now
    std::uint64_t user_ns = 0;
    std::uint64_t system_ns = 0;
    std::array<std::uint64_t, counter_names.size()> counters{};

    // @attribute: PROCSHARE_A_USAGE_FAULT_READ and so on.
    std::uint64_t operator[](int attribute) const {
        return counters[attribute - PROCSHARE_A_USAGE_FAULT_READ];
    }
};

struct Statistics {
    std::array<std::uint64_t, reason_names.size()> reasons{}; // of coming home
    std::vector<Usage> usage;                                 // by node

    // User CPU time burnt on nodes other than @home, as a share of all; 0 if there is none.
    double remote_share(unsigned home) const;
    void add(const Statistics& other);
};

// Starts with the remote share, then the reasons, then a row per node.
std::string format_statistics(const Statistics& statistics, unsigned home);
// The same as members "home", "remote_user_share", "reasons" and "nodes".
nlohmann::json json_statistics(const Statistics& statistics, unsigned home);

} // namespace procshare
