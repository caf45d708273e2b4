// SPDX-License-Identifier: GPL-2.0-only
//
// Starvation: a cycle on which a request waits all the time although everything
// that must happen sooner or later does happen (weak fairness).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model.h"

namespace procshare::checker {

// What an edge of the graph is, for fairness.
inline constexpr uint8_t kAtWill = 30;   // may happen or not
inline constexpr uint8_t kExcluded = 31; // happens finitely often

uint8_t label(const Event& event);

// The requests that are watched, one bit each.
inline constexpr unsigned kRequests = 7;
uint8_t waiting(const World& world, const Config& config);
const char* name_request(unsigned bit);

class Graph {
public:
    void add_state(uint8_t waiting);
    void add_edge(uint32_t to, uint8_t label); // from the last begun state
    void begin(uint32_t state);

    // A state on a cycle on which request @bit starves.
    std::optional<uint32_t> starvation(unsigned bit) const;

private:
    struct Edge {
        uint32_t to;
        uint8_t label;
    };
    class Search;

    std::vector<uint8_t> waiting_;
    std::vector<uint32_t> first_; // states are expanded in the order of their ids
    std::vector<Edge> edges_;
};

} // namespace procshare::checker
