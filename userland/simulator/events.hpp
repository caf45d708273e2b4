// SPDX-License-Identifier: GPL-2.0-only
// procshare - events: what is going to happen in simulated time
#pragma once

#include <queue>
#include <vector>

#include "servers.hpp"

namespace procshare::simulator {

struct Event {
    enum class Kind {
        touch,        // thread @who makes its access
        request,      // its fault has reached the machines
        arrive,       // the first bit of @message is at its node
        received,     // all of it is
        served,       // a server has handled it
        free,         // and is free again; @message tells which link it was
        wake,         // the waiters of @message.page at node @who look again
        release,      // node @who's minimum hold of the page is over
        release_home, // and home's, of access @who
    };
    Nanoseconds time;
    std::uint64_t number; // of several at the same time the first made comes first
    Kind kind;
    unsigned who;
    Message message;

    bool operator>(const Event& other) const {
        return time != other.time ? time > other.time : number > other.number;
    }
};

class Events {
public:
    void add(Nanoseconds time, Event::Kind kind, unsigned who, const Message& message) {
        queue_.push({time, ++number_, kind, who, message});
    }
    bool empty() const { return queue_.empty(); }
    Event take() {
        const Event event = queue_.top();
        queue_.pop();
        return event;
    }

private:
    std::priority_queue<Event, std::vector<Event>, std::greater<>> queue_;
    std::uint64_t number_ = 0;
};

} // namespace procshare::simulator
