// SPDX-License-Identifier: GPL-2.0-only
// procshare - network: when what is sent arrives
//
// Each node has one link to a switch that never blocks.  What it sends leaves one message after the
// other, what it receives comes in one after the other; both directions work at the same time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

extern "C" {
#include "wire.h"
}
#include "workload.hpp"

namespace procshare::simulator {

// What a coherence message takes, the link's header and the page that may follow included.
constexpr std::uint64_t message_bytes(bool page_follows) {
    return sizeof(procshare_wire_header) + sizeof(procshare_wire_coherence) +
           (page_follows ? PROCSHARE_WIRE_PAGE_SIZE : 0);
}

struct Link {
    Nanoseconds latency = 10'000; // one way, of the first bit
    double gigabits = 10;         // per second
};

class Network {
public:
    Network(const Link& link, unsigned nodes) : link_(link), out_(nodes), in_(nodes) {}

    // A message leaves at @now or as soon as the link is free; when its first bit arrives.
    Nanoseconds send(NodeId from, std::uint64_t bytes, Nanoseconds now) {
        const Nanoseconds start = std::max(now, out_[from].free);
        occupy(out_[from], start, bytes);
        return start + link_.latency;
    }
    // Its first bit is there at @now; when all of it is.  To be called in the order of time.
    Nanoseconds receive(NodeId to, std::uint64_t bytes, Nanoseconds now) {
        occupy(in_[to], std::max(now, in_[to].free), bytes);
        return in_[to].free;
    }
    Nanoseconds sending(NodeId node) const { return out_[node].busy; }
    Nanoseconds receiving(NodeId node) const { return in_[node].busy; }

private:
    struct Direction {
        Nanoseconds free = 0; // from when on
        Nanoseconds busy = 0; // for how long it was
    };

    void occupy(Direction& d, Nanoseconds start, std::uint64_t bytes) {
        const auto time = Nanoseconds(double(bytes) * 8 / link_.gigabits);
        d.free = start + time;
        d.busy += time;
    }

    const Link link_;
    std::vector<Direction> out_, in_;
};

} // namespace procshare::simulator
