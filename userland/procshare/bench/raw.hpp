// SPDX-License-Identifier: GPL-2.0-only
// procshare - what the network and the machines allow, kernel to kernel
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "control.hpp"
#include "table.hpp"

namespace procshare::bench {

// Members "request" and "reply" (bytes), "min_ns", "median_ns", "p99_ns", "mean_ns".
nlohmann::json round_trips(Control& control, unsigned node, Raw raw, std::size_t count);
// Members "request" and "reply", "window" (requests under way), "bytes_per_s" of the replies.
nlohmann::json bulk(Control& control, unsigned node, std::size_t count);

// The same as text, without a line's end.
std::string format_round_trip(const nlohmann::json& raw);
std::string format_bulk(const nlohmann::json& raw);

} // namespace procshare::bench
