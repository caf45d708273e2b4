// SPDX-License-Identifier: GPL-2.0-only
//
// Breadth-first search through the states of threads on several pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "threads.h"

namespace procshare::checker {

struct SearchLimits {
    size_t states = 1'000'000'000;
    bool ends = false; // keep the graph: can every state still come to an end?
};

struct SearchResult {
    size_t states = 0;
    size_t transitions = 0;
    size_t depth = 0;
    size_t ends = 0;             // states in which every thread is through and all is quiet
    bool complete = false;       // false: stopped at SearchLimits::states, or violated
    std::string violation;       // empty: none
    std::string trace;           // how it comes to the violation
    std::set<History> histories; // of the ends, with a program
};

SearchResult search(const ThreadModel& model, const SearchLimits& limits);

} // namespace procshare::checker
