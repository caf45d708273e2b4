// SPDX-License-Identifier: GPL-2.0-only
//
// The links of a random walk: messages in order per pair of nodes, for all pages
// together, until one of the two closes the link.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "page.hpp"

namespace procshare::checker {

struct Sent {
    unsigned page;
    machines::Parcel parcel;
};

class Links {
public:
    explicit Links(unsigned nodes) : nodes_(nodes), queues_(nodes * nodes), closed_(nodes) {}

    // No link has a message.
    bool empty() const { return busy_.empty(); }
    // False if the link is closed: the message is gone.
    bool send(const Sent& sent) {
        const unsigned from = sent.parcel.msg.from, to = sent.parcel.msg.to;
        if (closed(from, to) || closed(to, from))
            return false;
        if (queue(from, to).empty())
            busy_.push_back({from, to});
        queue(from, to).push_back(sent);
        return true;
    }
    // The oldest message of the link that @pick chooses; sometimes nothing.
    std::optional<Sent> take(uint64_t pick) {
        if (busy_.empty())
            return {};
        auto& pair = busy_[pick % busy_.size()];
        auto& messages = queue(pair.first, pair.second);
        std::optional<Sent> sent;
        if (!messages.empty()) {
            sent = messages.front();
            messages.pop_front();
        }
        if (messages.empty()) {
            pair = busy_.back();
            busy_.pop_back();
        }
        return sent;
    }
    // @node hears nothing of @gone any more.  Home may still be heard by it.
    void close(unsigned node, unsigned gone) {
        closed_[node] |= coh_bit(gone);
        queue(gone, node).clear();
        if (node != machines::home_seat)
            queue(node, gone).clear();
    }
    bool closed(unsigned node, unsigned gone) const { return closed_[node] & coh_bit(gone); }
    // Nobody hears @gone, and it hears nobody.
    void forget(unsigned gone) {
        for (unsigned node = 0; node < nodes_; node++) {
            queue(gone, node).clear();
            queue(node, gone).clear();
        }
    }

private:
    std::deque<Sent>& queue(unsigned from, unsigned to) { return queues_[from * nodes_ + to]; }

    const unsigned nodes_;
    std::vector<std::deque<Sent>> queues_;            // by pair
    std::vector<std::pair<unsigned, unsigned>> busy_; // pairs with messages, each once
    std::vector<coh_set> closed_;                     // per node: links it has closed
};

} // namespace procshare::checker
