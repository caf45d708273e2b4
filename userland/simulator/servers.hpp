// SPDX-License-Identifier: GPL-2.0-only
// procshare - servers: what handles the messages of a node, a few at a time
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "page.hpp"
#include "workload.hpp"

namespace procshare::simulator {

struct Message {
    PageId page;
    NodeId from, to;
    machines::Parcel parcel;
    bool page_follows = false;
};

// Messages of one link are handled one after the other, in order.
class Servers {
public:
    explicit Servers(unsigned count) : count_(count) {}

    void arrive(const Message& message) { queue_.push_back(message); }

    // The next message that a free server can begin with.
    std::optional<Message> begin() {
        if (links_.size() == count_)
            return {};
        const auto next = std::ranges::find_if(
            queue_, [this](const Message& m) { return std::ranges::find(links_, m.from) == links_.end(); });
        if (next == queue_.end())
            return {};
        const Message message = *next;
        queue_.erase(next);
        links_.push_back(message.from);
        return message;
    }
    // The server that handled @message is free.
    void end(const Message& message) { links_.erase(std::ranges::find(links_, message.from)); }

private:
    const unsigned count_;
    std::deque<Message> queue_;
    std::vector<NodeId> links_; // whose messages are being handled
};

} // namespace procshare::simulator
