// SPDX-License-Identifier: GPL-2.0-only
//
// Writes, and what the machines ask for, done as the kernel does it.
#include <algorithm>
#include <span>

#include "../machines/rights.hpp"
#include "model_private.h"

namespace procshare::checker {
namespace {

void age(Value& value, Value old) {
    if (value == Value::kLast)
        value = old;
}

// Does a copy that @node does not hold contain the last write?
bool copies(const World& w, unsigned node) {
    if (node != kHome && w.home_frame == Value::kLast)
        return true;
    for (unsigned i = 1; i <= kMaxRemotes; i++)
        if (i != node && remote(w, i).frame == Value::kLast)
            return true;
    for (const Message& m : w.wire)
        if (m.value == Value::kLast)
            return true;
    return false;
}

void act_send(World& w, unsigned node, const coh_msg& m, std::string_view& bad) {
    Value value = Value::kNone;
    if (auto rule = machines::unprotected(m, pte(w, node)); !rule.empty())
        bad = rule;
    if (m.flags & COH_DATA) {
        value = frame(w, node);
        if (value == Value::kNone)
            bad = "the page is sent but is not there";
    }
    send(w, m, value, bad);
}

void act_send_set(World& w, unsigned node, const coh_action& a, std::string_view& bad) {
    for (unsigned to = 0; to < COH_MAX_NODES; to++) {
        if (!(a.set & coh_bit(to)))
            continue;
        coh_msg m = a.msg;
        m.to = uint8_t(to);
        act_send(w, node, m, bad);
    }
}

void act_at_home(World& w, const coh_action& a, Value delivered, std::string_view& bad) {
    switch (a.act) {
    case COH_HOME_WRPROTECT:
        w.home_pte = std::min(w.home_pte, COH_READ);
        break;
    case COH_HOME_CLEAR:
        w.home_pte = COH_NONE;
        break;
    case COH_HOME_DATA:
        if (w.home_pte != COH_NONE)
            bad = "data for a page that home has mapped";
        if (delivered == Value::kNone)
            bad = "home keeps data that did not come";
        w.home_frame = delivered;
        break;
    case COH_HOME_WAKE:
        break;
    default:
        bad = "home was asked for an action of a node";
    }
}

void act_at_node(World& w, const Config& config, unsigned node, const coh_action& a, Value delivered,
                 std::string_view& bad) {
    Remote& r = remote(w, node);
    switch (a.act) {
    case COH_UNMAP:
        r.pte = COH_NONE;
        break;
    case COH_WRPROTECT:
        r.pte = std::min(r.pte, COH_READ);
        break;
    case COH_STORE:
        if (delivered == Value::kNone)
            bad = "a node keeps data that did not come";
        r.frame = delivered;
        break;
    case COH_INSTALL:
        if (r.frame == Value::kNone)
            bad = "nothing to install";
        (config.slow_install ? r.install : r.pte) = coh_access(a.access);
        break;
    case COH_DROP:
        if (r.pte != COH_NONE)
            bad = "a mapped frame is freed";
        r.frame = Value::kNone;
        break;
    case COH_WAKE:
    case COH_FAIL:
        break;
    default:
        bad = "a node was asked for an action of home";
    }
}

} // namespace

void age_all(World& w, const Config& config) {
    Value old = config.values ? Value(uint8_t(Value::kFirstId) + w.last) : Value::kOld;
    age(w.home_frame, old);
    for (Remote& r : w.remote)
        age(r.frame, old);
    for (Message& m : w.wire)
        age(m.value, old);
}

bool write(World& w, const Config& config, unsigned node) {
    if (pte(w, node) != COH_WRITE)
        return false;
    if (!copies(w, node))
        return false;
    age_all(w, config);
    (node == kHome ? w.home_frame : remote(w, node).frame) = Value::kLast;
    return true;
}

void perform(World& w, const Config& config, unsigned node, const coh_out& out, Value delivered,
             std::string_view& bad) {
    bool clear = false;
    if (out.n >= COH_MAX_ACTIONS)
        bad = "too many actions";
    for (const coh_action& a : std::span(out.a, out.n)) {
        if (a.act == COH_SEND)
            act_send(w, node, a.msg, bad);
        else if (a.act == COH_SEND_SET)
            act_send_set(w, node, a, bad);
        else if (node == kHome)
            act_at_home(w, a, delivered, bad);
        else
            act_at_node(w, config, node, a, delivered, bad);
        clear = clear || a.act == COH_HOME_CLEAR;
    }
    if (clear)
        w.home_frame = Value::kNone;
}

} // namespace procshare::checker
