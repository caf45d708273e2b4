// SPDX-License-Identifier: GPL-2.0-only
//
// Breadth-first exploration of the model, and the search for starvation in the
// graph that it leaves.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "model.h"

namespace procshare::checker {

struct Limits {
    size_t states = 100'000'000;
    bool liveness = false; // keep the graph and look for starvation
};

struct Result {
    size_t states = 0;
    size_t transitions = 0;
    size_t depth = 0;
    bool complete = false; // false: stopped at Limits::states
    std::string violation; // empty: none
    std::string trace;     // how it comes to the violation
};

Result explore(const Config& config, const Limits& limits);

} // namespace procshare::checker
