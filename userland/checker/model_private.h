// SPDX-License-Identifier: GPL-2.0-only
//
// What the parts of the model share.  @bad is set to the rule that is broken.
#pragma once

#include "model.h"

namespace procshare::checker {

inline Remote& remote(World& w, unsigned node) {
    return w.remote[node - 1];
}
inline const Remote& remote(const World& w, unsigned node) {
    return w.remote[node - 1];
}

inline bool has(unsigned set, unsigned node) {
    return set >> node & 1;
}

inline bool alive(const World& w, unsigned node) {
    return !has(w.lost, node);
}

inline coh_access pte(const World& w, unsigned node) {
    return node == kHome ? w.home_pte : remote(w, node).pte;
}

inline Value frame(const World& w, unsigned node) {
    return node == kHome ? w.home_frame : remote(w, node).frame;
}

// model_wire.cc
void send(World& w, const coh_msg& msg, Value value, std::string_view& bad);
void take_out(World& w, unsigned index);
void close_link(World& w, unsigned a, unsigned b);
// Indexes of messages from @from to @to: the first, or the first that may overtake all before it; or -1.
int oldest(const World& w, unsigned from, unsigned to);
int overtaking(const World& w, const Config& config, unsigned from, unsigned to);

// model_actions.cc
void age_all(World& w, const Config& config);
bool write(World& w, const Config& config, unsigned node);
void perform(World& w, const Config& config, unsigned node, const coh_out& out, Value delivered,
             std::string_view& bad);

} // namespace procshare::checker
