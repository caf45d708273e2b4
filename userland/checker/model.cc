// SPDX-License-Identifier: GPL-2.0-only
//
// The events of the model: what can happen in a world, and what becomes of it.
#include <cstring>
#include <span>

#include "model_private.h"

namespace procshare::checker {
namespace {

// ---- home ----

void run_home(World& w, const Config& config, std::string_view& bad) {
    const bool eager = config.eager == Eager::kAlways || w.eager;
    coh_out out{};
    coh_home_run(&w.home, kHome, &w.epoch, eager, &out);
    perform(w, config, kHome, out, Value::kNone, bad);
}

// The receiving thread serves what needs no page table.
void serve_messages(World& w, const Config& config, std::string_view& bad) {
    for (unsigned i = 0; coh_home_next(&w.home) == COH_NEXT_MESSAGES; i++) {
        if (i > 16) {
            bad = "home serves for ever";
            return;
        }
        run_home(w, config, bad);
    }
}

// A thread of home maps the page if it may.
bool map_at_home(World& w, coh_access access) {
    if (!coh_home_may(&w.home, access) || w.home_pte >= access)
        return false;
    w.home_pte = access;
    return true;
}

bool home_fault(World& w, const Config& config, coh_access access) {
    if (w.home_pte >= access)
        return false;
    if (coh_home_may(&w.home, access))
        return map_at_home(w, access);
    u8 want = access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_READ;
    if (!config.home_faults || (w.home.home_want & want) || w.home.discards || w.home.state == COH_HOME_LOST)
        return false;
    coh_home_want(&w.home, want, false);
    return true;
}

bool home_install(World& w) {
    auto hold = coh_access(w.home.hold);
    if (hold == COH_NONE)
        return false;
    map_at_home(w, hold);
    coh_home_release(&w.home, hold);
    return true;
}

bool discard(World& w, const Config& config) {
    if (w.home.discards >= config.discards)
        return false;
    coh_home_want(&w.home, COH_WANT_DISCARD, true);
    return true;
}

bool zap(World& w, const Config& config) {
    if (!w.home.discards || coh_home_wanted(&w.home, COH_WANT_DISCARD, true))
        return false;
    w.home_pte = COH_NONE;
    age_all(w, config);
    w.home_frame = Value::kLast; // the next access finds a fresh page
    coh_home_done(&w.home, COH_WANT_DISCARD);
    return true;
}

bool recall(World& w, const Config& config, coh_access access) {
    if (w.home.recalls >= config.recalls || (!config.recall_alone && coh_home_may(&w.home, access)))
        return false;
    coh_home_want(&w.home, access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_READ, true);
    return true;
}

bool recalled(World& w) {
    constexpr u8 kWants = COH_WANT_READ | COH_WANT_WRITE;
    if (!w.home.recalls || coh_home_wanted(&w.home, kWants, true))
        return false;
    coh_home_done(&w.home, COH_WANT_WRITE);
    return true;
}

bool refuse(World& w, const Config& config, std::string_view& bad) {
    if (!config.refusals || coh_home_next(&w.home) != COH_NEXT_COPY)
        return false;
    coh_out out{};
    coh_home_refuse(&w.home, kHome, &out);
    perform(w, config, kHome, out, Value::kNone, bad);
    return true;
}

// A GET to write from a node without a copy may be one of a block.
bool turn_away(World& w, const Config& config, unsigned node, std::string_view& bad) {
    const int index = oldest(w, node, kHome);
    if (!config.turned_away || index < 0)
        return false;
    if (!of_a_block(w.wire[unsigned(index)].msg))
        return false;
    take_out(w, unsigned(index));
    coh_msg answer{};
    answer.type = COH_GRANT;
    answer.from = kHome;
    answer.to = u8(node);
    answer.access = COH_WRITE;
    answer.flags = COH_ERROR;
    answer.requester = COH_NO_NODE;
    send(w, answer, Value::kNone, bad);
    return true;
}

bool serve_copy(World& w, const Config& config, std::string_view& bad) {
    if (coh_home_next(&w.home) != COH_NEXT_COPY)
        return false;
    run_home(w, config, bad);
    return true;
}

// ---- remote nodes ----

bool fault(World& w, const Config& config, unsigned node, coh_access access, std::string_view& bad) {
    Remote& r = remote(w, node);
    if (!alive(w, node) || r.pte >= access)
        return false;
    if (coh_node_may(&r.node, access)) {
        if (r.install != COH_NONE)
            return false;
        r.pte = access;
        return true;
    }
    if (r.node.pending)
        return false;
    coh_out out{};
    coh_node_fault(&r.node, u8(node), kHome, access, &out);
    perform(w, config, node, out, Value::kNone, bad);
    return true;
}

bool install(World& w, unsigned node) {
    Remote& r = remote(w, node);
    if (r.install == COH_NONE)
        return false;
    r.pte = r.install;
    r.install = COH_NONE;
    return true;
}

bool abandon(World& w, const Config& config, unsigned node) {
    Remote& r = remote(w, node);
    if (!config.abandon || r.install == COH_NONE)
        return false;
    r.install = COH_NONE;
    return true;
}

bool release(World& w, const Config& config, unsigned node, std::string_view& bad) {
    Remote& r = remote(w, node);
    if (!r.node.holding || r.install != COH_NONE)
        return false;
    coh_out out{};
    coh_node_release(&r.node, u8(node), kHome, &out);
    perform(w, config, node, out, Value::kNone, bad);
    return true;
}

bool put(World& w, const Config& config, unsigned node, std::string_view& bad) {
    if (!config.puts || !alive(w, node))
        return false;
    coh_out out{};
    if (!coh_node_put(&remote(w, node).node, u8(node), kHome, &out))
        return false;
    perform(w, config, node, out, Value::kNone, bad);
    return true;
}

// ---- loss ----

unsigned survivors(const World& w, const Config& config) {
    return ((1u << (config.remotes + 1)) - 2) & ~w.lost;
}

// Nobody listens to a lost node any more: it is out of the model.
void forget_lost(World& w, const Config& config) {
    for (unsigned k = 1; k <= config.remotes; k++) {
        if (alive(w, k))
            continue;
        for (unsigned s = 1; s <= config.remotes; s++)
            if (alive(w, s) && !has(w.closed[s], k))
                return;
        for (unsigned s = 0; s <= config.remotes; s++)
            if (s != k)
                close_link(w, k, s);
        remote(w, k) = {};
    }
}

bool lose(World& w, const Config& config, unsigned node, std::string_view& bad) {
    if (!w.losses_left || !alive(w, node))
        return false;
    w.losses_left--;
    w.lost |= uint8_t(1u << node);
    close_link(w, kHome, node);
    coh_out out{};
    coh_home_lost(&w.home, kHome, u8(node), survivors(w, config), &out);
    perform(w, config, kHome, out, Value::kNone, bad);
    forget_lost(w, config);
    return true;
}

// ---- delivery ----

bool asks_again(const coh_out& out) {
    for (const coh_action& a : std::span(out.a, out.n))
        if (a.act == COH_SEND && a.msg.type == COH_GET)
            return true;
    return false;
}

void deliver(World& w, const Config& config, unsigned index, std::string_view& bad) {
    Message m = w.wire[index];
    coh_out out{};
    take_out(w, index);
    if (m.msg.to == kHome) {
        coh_home_message(&w.home, kHome, &m.msg, &out);
    } else {
        if (m.msg.type == COH_LOST)
            close_link(w, m.msg.to, m.msg.requester);
        coh_node_message(&remote(w, m.msg.to).node, m.msg.to, kHome, &m.msg, &out);
        if (m.msg.type == COH_GRANT && asks_again(out) && config.overtake != Overtake::kInvReadGrant)
            bad = "a grant is void: its reader may starve";
    }
    perform(w, config, m.msg.to, out, m.value, bad);
    if (m.msg.type == COH_LOST)
        forget_lost(w, config);
}

bool deliver_at(World& w, const Config& config, int index, std::string_view& bad) {
    if (index < 0)
        return false;
    deliver(w, config, unsigned(index), bad);
    return true;
}

bool apply_raw(World& w, const Config& config, const Event& e, std::string_view& bad) {
    switch (e.kind) {
    case Kind::kDeliver:
        return deliver_at(w, config, oldest(w, e.a, e.b), bad);
    case Kind::kDeliverInv:
        return deliver_at(w, config, overtaking(w, config, e.a, e.b), bad);
    case Kind::kServeCopy:
        return serve_copy(w, config, bad);
    case Kind::kHomeInstall:
        return home_install(w);
    case Kind::kInstall:
        return install(w, e.a);
    case Kind::kRelease:
        return release(w, config, e.a, bad);
    case Kind::kZap:
        return zap(w, config);
    case Kind::kRecalled:
        return recalled(w);
    case Kind::kFault:
        return fault(w, config, e.a, coh_access(e.b), bad);
    case Kind::kPut:
        return put(w, config, e.a, bad);
    case Kind::kWrite:
        return alive(w, e.a) && write(w, config, e.a);
    case Kind::kAbandon:
        return abandon(w, config, e.a);
    case Kind::kHomeFault:
        return home_fault(w, config, coh_access(e.a));
    case Kind::kHomeTimeout:
        if (!config.timeouts || !w.home.hold)
            return false;
        coh_home_release(&w.home, COH_WRITE);
        return true;
    case Kind::kRefuse:
        return refuse(w, config, bad);
    case Kind::kTurnAway:
        return turn_away(w, config, e.a, bad);
    case Kind::kDiscard:
        return discard(w, config);
    case Kind::kRecall:
        return recall(w, config, coh_access(e.a));
    case Kind::kLose:
        return lose(w, config, e.a, bad);
    case Kind::kEager:
        w.eager = !w.eager;
        return config.eager == Eager::kAny;
    }
    return false;
}

} // namespace

coh_access mapped(const World& w, unsigned node) {
    return pte(w, node);
}

Value held(const World& w, unsigned node) {
    return frame(w, node);
}

bool write_at(World& w, const Config& config, unsigned node, uint8_t id) {
    if (!alive(w, node) || pte(w, node) != COH_WRITE)
        return false;
    age_all(w, config);
    (node == kHome ? w.home_frame : remote(w, node).frame) = Value::kLast;
    w.last = config.values ? id : 0;
    return true;
}

bool zap_at(World& w, const Config& config, uint8_t id, std::string_view& bad) {
    if (!zap(w, config))
        return false;
    w.last = config.values ? id : 0;
    serve_messages(w, config, bad);
    return true;
}

bool clear_at(World& w, const Config& config) {
    if (!coh_home_may(&w.home, COH_WRITE))
        return false;
    w.home_pte = COH_NONE;
    age_all(w, config);
    w.home_frame = Value::kLast;
    w.last = 0;
    return true;
}

World initial(const Config& config) {
    World w;
    std::memset(&w, 0, sizeof(w));
    coh_home_init(&w.home);
    for (Remote& r : w.remote)
        coh_node_init(&r.node);
    w.home_pte = COH_WRITE;
    w.home_frame = Value::kLast;
    w.losses_left = uint8_t(config.losses);
    return w;
}

std::vector<Event> candidates(const World& w, const Config& config) {
    std::vector<Event> events;
    auto add = [&](Kind kind, unsigned a = 0, unsigned b = 0) {
        events.push_back({kind, uint8_t(a), uint8_t(b)});
    };
    unsigned pairs = 0;
    for (unsigned i = 0; i < w.messages; i++) {
        unsigned from = w.wire[i].msg.from, to = w.wire[i].msg.to;
        if (pairs >> (from * 4 + to) & 1)
            continue;
        pairs |= 1u << (from * 4 + to);
        add(Kind::kDeliver, from, to);
        if (config.overtake != Overtake::kNothing)
            add(Kind::kDeliverInv, from, to);
    }
    for (Kind kind : {Kind::kServeCopy, Kind::kHomeInstall, Kind::kZap, Kind::kRecalled, Kind::kHomeTimeout,
                      Kind::kRefuse, Kind::kDiscard, Kind::kWrite})
        add(kind);
    if (config.eager == Eager::kAny)
        add(Kind::kEager);
    for (unsigned access : {COH_READ, COH_WRITE}) {
        add(Kind::kHomeFault, access);
        add(Kind::kRecall, access);
    }
    for (unsigned node = 1; node <= config.remotes; node++) {
        for (Kind kind :
             {Kind::kInstall, Kind::kRelease, Kind::kAbandon, Kind::kPut, Kind::kWrite, Kind::kLose})
            add(kind, node);
        if (config.turned_away)
            add(Kind::kTurnAway, node);
        add(Kind::kFault, node, COH_READ);
        add(Kind::kFault, node, COH_WRITE);
    }
    return events;
}

bool apply(World& w, const Config& config, const Event& event, std::string_view& bad) {
    if (!apply_raw(w, config, event, bad))
        return false;
    serve_messages(w, config, bad);
    return true;
}

} // namespace procshare::checker
