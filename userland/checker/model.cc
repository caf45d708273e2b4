// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

#include <algorithm>
#include <cstring>

#include "../machines/rights.hpp"

namespace procshare::checker {
namespace {

Remote& remote(World& w, unsigned node) {
    return w.remote[node - 1];
}
const Remote& remote(const World& w, unsigned node) {
    return w.remote[node - 1];
}

bool has(unsigned set, unsigned node) {
    return set >> node & 1;
}

// ---- the wire ----

bool open_between(const World& w, unsigned from, unsigned to) {
    return !has(w.closed[from], to) && !has(w.closed[to], from);
}

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

bool overtakes(const Config& config, const coh_msg& late, const coh_msg& early) {
    if (early.type != COH_GRANT)
        return false;
    if (config.overtake == Overtake::kInvReadGrant)
        return late.type == COH_INV && early.access == COH_READ;
    if (config.overtake == Overtake::kFwdWriteGrant)
        return late.type == COH_FWD && early.access == COH_WRITE;
    return false;
}

// The first message from @from to @to that may overtake all before it.
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

// ---- writes ----

void age(Value& value, Value old) {
    if (value == Value::kLast)
        value = old;
}

void age_all(World& w, const Config& config) {
    Value old = config.values ? Value(uint8_t(Value::kFirstId) + w.last) : Value::kOld;
    age(w.home_frame, old);
    for (Remote& r : w.remote)
        age(r.frame, old);
    for (Message& m : w.wire)
        age(m.value, old);
}

coh_access pte(const World& w, unsigned node) {
    return node == kHome ? w.home_pte : remote(w, node).pte;
}

Value frame(const World& w, unsigned node) {
    return node == kHome ? w.home_frame : remote(w, node).frame;
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

bool write(World& w, const Config& config, unsigned node) {
    if (pte(w, node) != COH_WRITE)
        return false;
    if (!copies(w, node))
        return false;
    age_all(w, config);
    (node == kHome ? w.home_frame : remote(w, node).frame) = Value::kLast;
    return true;
}

// ---- actions ----

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

bool serve_copy(World& w, const Config& config, std::string_view& bad) {
    if (coh_home_next(&w.home) != COH_NEXT_COPY)
        return false;
    run_home(w, config, bad);
    return true;
}

// ---- remote nodes ----

bool alive(const World& w, unsigned node) {
    return !has(w.lost, node);
}

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

// ---- invariants ----

std::string_view check_ptes(const World& w, const Config& config) {
    unsigned readers = 0, writers = 0;
    for (unsigned i = 0; i <= config.remotes; i++) {
        if (!alive(w, i))
            continue;
        readers += pte(w, i) == COH_READ;
        writers += pte(w, i) == COH_WRITE;
        if (pte(w, i) != COH_NONE && frame(w, i) != Value::kLast)
            return "a readable page does not hold the last write";
    }
    if (writers > 1)
        return "two writers";
    if (writers && readers)
        return "a writer and a reader";
    return {};
}

std::string_view check_home(const World& w, const Config& config) {
    const coh_home& h = w.home;
    if (w.home_pte == COH_WRITE && h.state != COH_HOME_ALONE)
        return "home writes but is not alone";
    if (w.home_pte == COH_READ && h.state != COH_HOME_ALONE && h.state != COH_HOME_SHARED)
        return "home reads a stale page";
    if (!config.losses && (h.state == COH_HOME_LOST || (h.state == COH_HOME_STALE && h.owner == COH_NO_NODE)))
        return "a page is lost although no node is";
    if (h.hold && !h.discards && !coh_home_may(&h, coh_access(h.hold)))
        return "the page is taken away before home's fault has installed it";
    if (h.recalls && !h.home_first && (h.state == COH_HOME_STALE || h.state == COH_HOME_OWNED))
        return "the page is taken away before home's recall has ended";
    if (h.home_want && coh_home_next(&h) == COH_NEXT_COPY)
        return "home's fault holds locks that the request before it needs";
    if (coh_home_idle(&h) && !as_new(h))
        return "an idle entry is not as new";
    return {};
}

std::string_view check_loss(const World& w, const Config& config) {
    if (w.home.state != COH_HOME_LOST || w.home.discards)
        return {};
    if (w.home_frame != Value::kNone)
        return "lost, but home has a copy";
    for (unsigned i = 1; i <= config.remotes; i++)
        if (alive(w, i) && remote(w, i).frame != Value::kNone)
            return "lost, but a node has a copy";
    return {};
}

// Once all is quiet nothing is said to be on a node that is gone.
std::string_view check_accounts(const World& w, const Config& config) {
    const coh_home& h = w.home;
    if (!w.lost || !quiet(w, config))
        return {};
    if ((h.sharers & w.lost) || (h.owner != COH_NO_NODE && has(w.lost, h.owner)))
        return "the directory counts on a lost node";
    for (unsigned i = 1; i <= config.remotes; i++)
        if (alive(w, i) && (remote(w, i).node.need & w.lost))
            return "a node counts on a lost node";
    return {};
}

std::string_view check_node(const World& w, const Config& config, unsigned i) {
    const Remote& r = remote(w, i);
    if (r.pte == COH_WRITE && r.node.state != COH_M)
        return "a writer that is not M";
    if (r.pte != COH_NONE && r.node.state == COH_I)
        return "a reader that is I";
    if (r.node.state != COH_I && r.frame == Value::kNone)
        return "a copy without a frame";
    if (r.node.state == COH_I && r.frame != Value::kNone && !r.node.granted)
        return "a frame without a copy";
    if (r.node.ndeferred > (config.losses ? 3 : 2))
        return "too many deferred messages";
    if (r.node.state != COH_I && coh_home_idle(&w.home))
        return "a copy that home knows nothing of";
    return {};
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

std::string_view violation(const World& w, const Config& config) {
    if (auto bad = check_ptes(w, config); !bad.empty())
        return bad;
    if (auto bad = check_home(w, config); !bad.empty())
        return bad;
    for (unsigned i = 1; i <= config.remotes; i++) {
        if (!alive(w, i))
            continue;
        if (auto bad = check_node(w, config, i); !bad.empty())
            return bad;
    }
    if (auto bad = check_loss(w, config); !bad.empty())
        return bad;
    return check_accounts(w, config);
}

bool quiet(const World& w, const Config& config) {
    const coh_home& h = w.home;
    if (w.messages || h.busy || h.queued || h.hold || h.home_want || h.home_first || h.discards ||
        h.recalls || h.b_lost)
        return false;
    for (unsigned i = 1; i <= config.remotes; i++) {
        const Remote& r = remote(w, i);
        if (!alive(w, i))
            continue;
        if (r.node.pending || r.node.granted || r.node.holding || r.node.ndeferred || r.install != COH_NONE)
            return false;
    }
    return true;
}

} // namespace procshare::checker
