// SPDX-License-Identifier: GPL-2.0-only
// procshare - calibrate: what things cost, from a recorded run
#pragma once

#include <string>

#include "engine.hpp"
#include "recording.hpp"

namespace procshare::simulator {

// The costs of faults that home answers: medians over all faults of all processes that nothing else delayed.
// Some must have needed the page and some only the right to write it, or an Error is thrown: `procshare bench
// read-fault` and `procshare bench upgrade` make both.  The clocks must agree already.
Costs calibrate(const NodeEvents& nodes);

// As options of `procshare-sim run`.
std::string format_costs(const Costs& costs);

} // namespace procshare::simulator
