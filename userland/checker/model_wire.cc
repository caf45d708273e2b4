// SPDX-License-Identifier: GPL-2.0-only
//
// The channels of the model: order within a pair of nodes, and links that close.
#include "model_private.h"

namespace procshare::checker {
namespace {

bool open_between(const World& w, unsigned from, unsigned to) {
    return !has(w.closed[from], to) && !has(w.closed[to], from);
}

bool overtakes(const Config& config, const coh_msg& late, const coh_msg& early) {
    if (config.overtake == Overtake::kGet)
        return of_a_block(early);
    if (early.type != COH_GRANT)
        return false;
    if (config.overtake == Overtake::kInvReadGrant)
        return late.type == COH_INV && early.access == COH_READ;
    if (config.overtake == Overtake::kFwdWriteGrant)
        return late.type == COH_FWD && early.access == COH_WRITE;
    return false;
}

} // namespace

void send(World& w, const coh_msg& msg, Value value, std::string_view& bad) {
    if (msg.to > kMaxRemotes || msg.to == msg.from) {
        bad = "a message without an addressee";
        return;
    }
    if (!open_between(w, msg.from, msg.to))
        return;
    if (w.messages == kMaxMessages) {
        bad = "too many messages on the wire";
        return;
    }
    w.wire[w.messages++] = {msg, value};
}

void take_out(World& w, unsigned index) {
    std::move(w.wire.begin() + index + 1, w.wire.begin() + w.messages, w.wire.begin() + index);
    w.wire[--w.messages] = {};
}

void close_link(World& w, unsigned a, unsigned b) {
    w.closed[a] |= 1u << b;
    for (unsigned i = w.messages; i-- > 0;) {
        const coh_msg& m = w.wire[i].msg;
        if ((m.from == b && m.to == a) || (m.from == a && m.to == b && a != kHome))
            take_out(w, i);
    }
}

int oldest(const World& w, unsigned from, unsigned to) {
    for (unsigned i = 0; i < w.messages; i++)
        if (w.wire[i].msg.from == from && w.wire[i].msg.to == to)
            return int(i);
    return -1;
}

int overtaking(const World& w, const Config& config, unsigned from, unsigned to) {
    int first = oldest(w, from, to);
    if (first < 0 || config.overtake == Overtake::kNothing)
        return -1;
    for (unsigned i = unsigned(first) + 1; i < w.messages; i++) {
        if (w.wire[i].msg.from != from || w.wire[i].msg.to != to)
            continue;
        bool all = true;
        for (unsigned j = unsigned(first); j < i; j++)
            if (w.wire[j].msg.from == from && w.wire[j].msg.to == to)
                all = all && overtakes(config, w.wire[i].msg, w.wire[j].msg);
        if (all)
            return int(i);
    }
    return -1;
}

} // namespace procshare::checker
