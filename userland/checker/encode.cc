// SPDX-License-Identifier: GPL-2.0-only
//
// The canonical form of a state, and what people see of it.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "model.h"

namespace procshare::checker {
namespace {

class Writer {
public:
    explicit Writer(Encoding& out) : out_(out) {}
    template <class T>
    void byte(const T& value) {
        out_.push_back(uint8_t(value));
    }

private:
    Encoding& out_;
};

class Reader {
public:
    explicit Reader(std::span<const uint8_t> in) : in_(in) {}
    template <class T>
    void byte(T& value) {
        value = T(in_[at_++]);
    }
    size_t read() const { return at_; }

private:
    std::span<const uint8_t> in_;
    size_t at_ = 0;
};

// One description serves writing and reading: A is Writer or Reader, W is
// World const or not.
template <class A, class M>
void archive_msg(A& a, M& m) {
    a.byte(m.type);
    a.byte(m.from);
    a.byte(m.to);
    a.byte(m.access);
    a.byte(m.have);
    a.byte(m.flags);
    a.byte(m.requester);
    a.byte(m.epoch);
    a.byte(m.acks);
}

template <class A, class H>
void archive_home(A& a, H& h) {
    a.byte(h.state);
    a.byte(h.busy);
    a.byte(h.owner);
    a.byte(h.hold);
    a.byte(h.home_want);
    a.byte(h.home_first);
    a.byte(h.queued);
    a.byte(h.b_requester);
    a.byte(h.b_access);
    a.byte(h.b_source);
    a.byte(h.b_have_data);
    a.byte(h.b_have_put);
    a.byte(h.b_last_lost);
    a.byte(h.discards);
    a.byte(h.recalls);
    a.byte(h.b_epoch);
    a.byte(h.sharers);
    a.byte(h.want_write);
    a.byte(h.have);
    a.byte(h.b_acks);
    a.byte(h.b_flush);
    a.byte(h.b_lost);
    for (unsigned i = 0; i < h.queued; i++)
        a.byte(h.queue[i]);
}

template <class A, class R>
void archive_remote(A& a, R& r) {
    auto& n = r.node;
    a.byte(n.state);
    a.byte(n.pending);
    a.byte(n.granted);
    a.byte(n.holding);
    a.byte(n.need);
    a.byte(n.got);
    a.byte(n.lost);
    a.byte(n.got_epoch);
    a.byte(n.epoch);
    a.byte(n.inv_epoch);
    a.byte(n.ndeferred);
    for (unsigned i = 0; i < n.ndeferred; i++)
        archive_msg(a, n.deferred[i]);
    a.byte(r.pte);
    a.byte(r.install);
    a.byte(r.frame);
}

template <class A, class W>
void archive(A& a, W& w, const Config& config) {
    archive_home(a, w.home);
    a.byte(w.epoch);
    a.byte(w.home_pte);
    a.byte(w.home_frame);
    if (config.values)
        a.byte(w.last);
    if (config.eager == Eager::kAny)
        a.byte(w.eager);
    if (config.losses) {
        a.byte(w.losses_left);
        a.byte(w.lost);
        for (auto& closed : w.closed)
            a.byte(closed);
    }
    for (unsigned i = 0; i < config.remotes; i++)
        archive_remote(a, w.remote[i]);
    a.byte(w.messages);
    for (unsigned i = 0; i < w.messages; i++) {
        archive_msg(a, w.wire[i].msg);
        a.byte(w.wire[i].value);
    }
}

template <class W, class F>
void each_epoch(W& w, F&& f) {
    f(w.home.b_epoch);
    for (auto& r : w.remote) {
        f(r.node.got_epoch);
        f(r.node.epoch);
        f(r.node.inv_epoch);
        for (unsigned i = 0; i < r.node.ndeferred; i++)
            f(r.node.deferred[i].epoch);
    }
    for (unsigned i = 0; i < w.messages; i++)
        f(w.wire[i].msg.epoch);
}

// Only the order of the epochs that are still in use matters; 0 is none.
void rank_in_place(World& w) {
    std::array<u64, 64> used;
    unsigned n = 0;
    each_epoch(w, [&](u64 e) {
        if (e && n < used.size())
            used[n++] = e;
    });
    std::sort(used.begin(), used.begin() + n);
    n = unsigned(std::unique(used.begin(), used.begin() + n) - used.begin());
    each_epoch(w, [&](u64& e) {
        if (e)
            e = u64(std::lower_bound(used.begin(), used.begin() + n, e) - used.begin() + 1);
    });
    w.epoch = n;
}

// Messages between different pairs of nodes have no order.
void sort_wire(World& w) {
    auto pair = [](const Message& m) { return m.msg.from * 256 + m.msg.to; };
    for (unsigned i = 1; i < w.messages; i++)
        for (unsigned j = i; j > 0 && pair(w.wire[j]) < pair(w.wire[j - 1]); j--)
            std::swap(w.wire[j], w.wire[j - 1]);
}

// A renaming of the nodes; home keeps its name.
struct Renaming {
    Names to;

    template <class T>
    void node(T& n) const {
        if (n <= kMaxRemotes)
            n = to[n];
    }
    template <class T>
    void set(T& s) const {
        T renamed = 0;
        for (unsigned i = 0; i <= kMaxRemotes; i++)
            if (s >> i & 1)
                renamed |= T(T(1) << to[i]);
        s = renamed;
    }
    void msg(coh_msg& m) const {
        node(m.from);
        node(m.to);
        node(m.requester);
        set(m.acks);
    }
};

void rename_home(coh_home& h, const Renaming& r) {
    for (u8* n : {&h.owner, &h.b_requester, &h.b_source, &h.b_last_lost})
        r.node(*n);
    for (coh_set* s : {&h.sharers, &h.want_write, &h.have, &h.b_acks, &h.b_flush, &h.b_lost})
        r.set(*s);
    for (unsigned i = 0; i < h.queued; i++)
        r.node(h.queue[i]);
}

World renamed(const World& old, const Renaming& r) {
    World w = old;
    rename_home(w.home, r);
    r.set(w.lost);
    for (unsigned i = 0; i <= kMaxRemotes; i++) {
        w.closed[r.to[i]] = old.closed[i];
        r.set(w.closed[r.to[i]]);
    }
    for (unsigned i = 1; i <= kMaxRemotes; i++) {
        Remote& mine = w.remote[r.to[i] - 1];
        mine = old.remote[i - 1];
        for (coh_set* s : {&mine.node.need, &mine.node.got, &mine.node.lost})
            r.set(*s);
        for (unsigned j = 0; j < mine.node.ndeferred; j++)
            r.msg(mine.node.deferred[j]);
    }
    for (unsigned i = 0; i < w.messages; i++)
        r.msg(w.wire[i].msg);
    return w;
}

void append_as_is(World& w, const Config& config, Encoding& out) {
    sort_wire(w);
    Writer writer(out);
    archive(writer, std::as_const(w), config);
}

void encode_as_is(World& w, const Config& config, Encoding& out) {
    out.clear();
    append_as_is(w, config, out);
}

std::string name(unsigned node) {
    if (node == kHome)
        return "home";
    if (node == COH_NO_NODE)
        return "-";
    return std::to_string(node);
}

const char* name_access(unsigned access) {
    constexpr const char* kNames[] = {"none", "read", "write"};
    return access < 3 ? kNames[access] : "?";
}

const char* name_value(Value value) {
    constexpr const char* kNames[] = {"no data", "OLD data", "data"};
    return kNames[value < Value::kFirstId ? int(value) : int(Value::kOld)];
}

std::string name_set(coh_set set) {
    std::string s = "{";
    for (unsigned i = 0; i < COH_MAX_NODES; i++)
        if (set >> i & 1)
            s += (s.size() > 1 ? " " : "") + std::to_string(i);
    return s + "}";
}

std::string name_msg(const coh_msg& m) {
    constexpr const char* kTypes[] = {"?",    "GET",    "GRANT", "FWD",  "INV",    "ACK",
                                      "DONE", "NOPAGE", "PUT",   "LOST", "FLUSHED"};
    std::string s = m.type < std::size(kTypes) ? kTypes[m.type] : "?";
    if (m.access)
        s += std::string(" ") + name_access(m.access);
    if (m.have)
        s += " have";
    if (m.flags & COH_ERROR)
        s += " error";
    if (m.requester != COH_NO_NODE)
        s += " for " + name(m.requester);
    if (m.epoch)
        s += " epoch " + std::to_string(m.epoch);
    if (m.acks)
        s += " acks " + name_set(m.acks);
    return s;
}

std::string describe_home(const World& w) {
    constexpr const char* kStates[] = {"ALONE", "SHARED", "STALE", "OWNED", "LOST"};
    constexpr const char* kBusy[] = {"idle", "forward", "home read", "home write", "discard"};
    const coh_home& h = w.home;
    std::string s = std::string("  home ") + kStates[h.state] + " owner " + name(h.owner) + " sharers " +
                    name_set(h.sharers) + ", " + kBusy[h.busy];
    if (h.busy)
        s += " (epoch " + std::to_string(h.b_epoch) + " requester " + name(h.b_requester) + " source " +
             name(h.b_source) + " acks " + name_set(h.b_acks) + (h.b_have_data ? " data" : "") +
             (h.b_have_put ? " put" : "") + ")";
    if (h.b_lost)
        s += " lost " + name_set(h.b_lost) + " flush " + name_set(h.b_flush);
    if (h.hold)
        s += std::string(" hold ") + name_access(h.hold);
    if (h.home_want)
        s += " want " + std::to_string(h.home_want);
    if (h.home_first)
        s += " first " + std::to_string(h.home_first);
    if (h.discards)
        s += " discards " + std::to_string(h.discards);
    if (h.recalls)
        s += " recalls " + std::to_string(h.recalls);
    s += " queue [";
    for (unsigned i = 0; i < h.queued; i++)
        s += " " + name(h.queue[i]);
    return s + " ] pte " + name_access(w.home_pte) + ", " + name_value(w.home_frame) + "\n";
}

std::string describe_remote(const World& w, unsigned node) {
    constexpr const char* kStates = "ISOM";
    const Remote& r = w.remote[node - 1];
    std::string s = "  node " + name(node) + " " + kStates[r.node.state];
    if (w.lost >> node & 1)
        s += " LOST";
    if (r.node.pending)
        s += std::string(" pending ") + name_access(r.node.pending);
    if (r.node.granted)
        s += " granted, need " + name_set(r.node.need) + " epoch " + std::to_string(r.node.epoch);
    if (r.node.got)
        s += " got " + name_set(r.node.got) + " of " + std::to_string(r.node.got_epoch);
    if (r.node.holding)
        s += " holding";
    for (unsigned i = 0; i < r.node.ndeferred; i++)
        s += " deferred (" + name_msg(r.node.deferred[i]) + ")";
    s += std::string(" pte ") + name_access(r.pte);
    if (r.install)
        s += std::string(" installing ") + name_access(r.install);
    return s + ", " + name_value(r.frame) + "\n";
}

} // namespace

bool as_new(const coh_home& home) {
    coh_home fresh;
    coh_home_init(&fresh);
    Encoding a, b;
    Writer write_a(a), write_b(b);
    archive_home(write_a, home);
    archive_home(write_b, std::as_const(fresh));
    return a == b;
}

World rank_epochs(const World& world) {
    World ranked = world;
    rank_in_place(ranked);
    return ranked;
}

void append(const World& ranked, const Config& config, const Names& to, Encoding& out) {
    World w = renamed(ranked, Renaming{to});
    append_as_is(w, config, out);
}

void encode(const World& world, const Config& config, Encoding& out) {
    World ranked = rank_epochs(world);
    Renaming r;
    std::iota(r.to.begin(), r.to.end(), uint8_t(0));
    encode_as_is(ranked, config, out);
    if (!config.symmetry)
        return;
    Encoding other;
    while (std::next_permutation(r.to.begin() + 1, r.to.begin() + 1 + config.remotes)) {
        World w = renamed(ranked, r);
        encode_as_is(w, config, other);
        if (other < out)
            out.swap(other);
    }
}

World take(std::span<const uint8_t>& bytes, const Config& config) {
    World w = initial(config);
    Reader reader(bytes);
    archive(reader, w, config);
    bytes = bytes.subspan(reader.read());
    return w;
}

World decode(std::span<const uint8_t> bytes, const Config& config) {
    return take(bytes, config);
}

std::string describe(const Event& e) {
    switch (e.kind) {
    case Kind::kDeliver:
        return name(e.a) + " -> " + name(e.b) + ": delivered";
    case Kind::kDeliverInv:
        return name(e.a) + " -> " + name(e.b) + ": delivered, overtaking";
    case Kind::kServeCopy:
        return "home serves the head of its queue";
    case Kind::kHomeInstall:
        return "home installs";
    case Kind::kInstall:
        return name(e.a) + " installs";
    case Kind::kRelease:
        return name(e.a) + " ends its hold";
    case Kind::kZap:
        return "home zaps, the discard ends";
    case Kind::kRecalled:
        return "home's recall ends";
    case Kind::kFault:
        return name(e.a) + " faults: " + name_access(e.b);
    case Kind::kPut:
        return name(e.a) + " gives the page back";
    case Kind::kWrite:
        return name(e.a) + " writes";
    case Kind::kAbandon:
        return name(e.a) + " does not map";
    case Kind::kHomeFault:
        return std::string("home faults: ") + name_access(e.a);
    case Kind::kHomeTimeout:
        return "home's hold times out";
    case Kind::kRefuse:
        return "home refuses the head of its queue";
    case Kind::kTurnAway:
        return "home turns " + name(e.a) + "'s request for untouched pages away";
    case Kind::kDiscard:
        return "home discards";
    case Kind::kRecall:
        return std::string("home recalls: ") + name_access(e.a);
    case Kind::kLose:
        return name(e.a) + " is lost";
    case Kind::kEager:
        return "home changes its mind about readers";
    }
    return "?";
}

std::string describe(const World& w, const Config& config) {
    std::string s = describe_home(w);
    for (unsigned i = 1; i <= config.remotes; i++)
        s += describe_remote(w, i);
    for (unsigned i = 0; i < w.messages; i++) {
        const Message& m = w.wire[i];
        s += "  " + name(m.msg.from) + " -> " + name(m.msg.to) + ": " + name_msg(m.msg);
        if (m.msg.flags & COH_DATA)
            s += std::string(", ") + name_value(m.value);
        s += "\n";
    }
    return s;
}

} // namespace procshare::checker
