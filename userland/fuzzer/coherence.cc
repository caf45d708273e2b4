// SPDX-License-Identifier: GPL-2.0-only
// procshare - coherence: any events, valid or not, for the machines of home and of a node
#include <memory>
#include <span>

extern "C" {
#include "coherence.h"
}

#include "fuzz.hpp"

namespace procshare::fuzzer {
namespace {

constexpr unsigned events = 200;
constexpr unsigned last_type = COH_FLUSHED;

bool is_node(unsigned id) {
    return id < COH_MAX_NODES;
}

u8 any_node(Choice& c) {
    return u8(c.value({0, 1, 2, 3, 4, 62, 63, 64, COH_NO_NODE}));
}

u8 good_node(Choice& c) {
    return u8(c.one_in(4) ? c.below(COH_MAX_NODES) : c.below(5));
}

coh_access any_access(Choice& c) {
    return c.one_in(2) ? COH_READ : COH_WRITE;
}

coh_msg any_message(Choice& c, u8 self, u64 epoch) {
    coh_msg m{};
    m.type = u8(c.one_in(16) ? c.any() : c.below(last_type + 1));
    m.from = any_node(c);
    m.to = c.one_in(8) ? any_node(c) : self;
    m.access = u8(c.value({COH_READ, COH_WRITE, COH_NONE, 3}));
    m.have = u8(c.value({COH_NONE, COH_READ, COH_WRITE}));
    m.flags = u8(c.value({0, COH_DATA, COH_ERROR, COH_DATA | COH_THIRD, COH_DATA | COH_ERROR}));
    m.requester = any_node(c);
    m.epoch = c.value({epoch, epoch, epoch - 1, epoch + 1, 0, ~u64(0)});
    m.acks = c.value({0, 1, 2, 6, 0x1e, ~u64(0)});
    return m;
}

// What any action must be like, whatever has happened before.
void check_actions(const coh_out& out, u8 self, bool home) {
    require(out.n < COH_MAX_ACTIONS, "too many actions");
    for (const coh_action& a : std::span(out.a, out.n)) {
        require(a.act >= COH_SEND && a.act <= COH_FAIL, "an action that there is not");
        if (a.act <= COH_SEND_SET) {
            require(a.msg.type >= COH_GET && a.msg.type <= last_type, "a message of no type");
            require(a.msg.from == self, "a message in another node's name");
        }
        if (a.act == COH_SEND)
            require(is_node(a.msg.to) && a.msg.to != self, "a message without an addressee");
        else if (a.act == COH_SEND_SET)
            require(a.set && !(a.set & coh_bit(self)), "a message to oneself or to nobody");
        else
            require(home == (a.act <= COH_HOME_WAKE), "an action of the other machine");
    }
}

// ---- home ----

void check_home(const coh_home& h, u8 self) {
    require(h.state <= COH_HOME_LOST && h.busy <= COH_BUSY_DISCARD && h.hold <= COH_WRITE,
            "home: a state that there is not");
    require(h.queued <= COH_MAX_NODES, "home: the queue is too long");
    for (unsigned i = 0; i < h.queued; i++) {
        require(is_node(h.queue[i]) || h.queue[i] == COH_NO_NODE, "home: nobody in the queue");
        for (unsigned j = 0; j < i; j++)
            require(h.queue[i] != h.queue[j], "home: somebody is in the queue twice");
    }
    require(is_node(h.owner) || h.owner == COH_NO_NODE, "home: an owner that is no node");
    require(h.owner != self && !(h.sharers & coh_bit(self)), "home: home is its own sharer");
    require(h.state != COH_HOME_OWNED || is_node(h.owner), "home: owned by nobody");
    require(h.state != COH_HOME_SHARED || h.sharers, "home: shared with nobody");
    require(h.state != COH_HOME_STALE || h.sharers, "home: stale, and nobody has it");
    require(is_node(h.b_source) || h.b_source == COH_NO_NODE, "home: a source that is no node");
    require(is_node(h.b_requester) || h.b_requester == COH_NO_NODE, "home: a requester that is no node");
    require(h.busy != COH_BUSY_FWD || (is_node(h.b_source) && is_node(h.b_requester)),
            "home: forwards from nobody or to nobody");
    require(!h.b_flush || h.b_lost, "home: waits for a flush of nothing");
}

void home_event(Choice& c, coh_home& h, u8 self, u64& epoch, coh_out& out) {
    const u8 want = u8(1 << c.below(3));

    switch (c.below(12)) {
    case 0:
        return coh_home_want(&h, want & ~COH_WANT_DISCARD, false);
    case 1:
        if (h.discards + h.recalls < 4)
            coh_home_want(&h, want, true);
        return;
    case 2:
        return coh_home_done(&h, want);
    case 3:
        return coh_home_release(&h, any_access(c));
    case 4:
        if (coh_home_next(&h) != COH_NEXT_NONE)
            coh_home_refuse(&h, self, &out);
        return;
    case 5:
        if (c.one_in(8))
            coh_home_lost(&h, self, any_node(c), c.value({0, 2, 0x1e, ~u64(0)}), &out);
        return;
    case 6:
    case 7:
    case 8:
        return coh_home_run(&h, self, &epoch, c.one_in(2), &out);
    default:
        const coh_msg m = any_message(c, self, h.busy ? u64(h.b_epoch) : epoch);
        return coh_home_message(&h, self, &m, &out);
    }
}

void fuzz_home(Choice& c) {
    const auto home = std::make_unique<coh_home>(); // of its exact size, for AddressSanitizer
    const u8 self = good_node(c);
    u64 epoch = c.one_in(8) ? ~u64(0) - 3 : 0;

    coh_home_init(home.get());
    for (unsigned i = 0; i < events; i++) {
        const auto out = std::make_unique<coh_out>();
        home_event(c, *home, self, epoch, *out);
        check_actions(*out, self, true);
        check_home(*home, self);
        coh_home_idle(home.get());
        coh_home_head(home.get());
        coh_home_may(home.get(), any_access(c));
    }
}

// ---- a node ----

void check_node(const coh_node& n, u8 self) {
    require(n.state <= COH_M && n.pending <= COH_WRITE, "node: a state that there is not");
    require(n.ndeferred <= COH_MAX_DEFERRED, "node: too much is deferred");
    require(!n.granted || n.pending, "node: granted what it did not ask for");
    require(!n.granted || (n.need & ~n.got), "node: waits for acks that have come");
    require(!(n.need & coh_bit(self)), "node: waits for itself");
    for (const coh_msg& m : std::span(n.deferred, n.ndeferred))
        require(m.to == self && is_node(m.requester) && m.requester != self, "node: defers nonsense");
}

void node_event(Choice& c, coh_node& n, u8 self, u8 home, coh_out& out) {
    switch (c.below(10)) {
    case 0:
    case 1:
        return coh_node_fault(&n, self, home, any_access(c), &out);
    case 2:
        return coh_node_release(&n, self, home, &out);
    case 3:
        coh_node_put(&n, self, home, &out);
        return;
    case 4:
        if (c.one_in(8))
            coh_node_lost(&n, self, home, any_node(c), &out);
        return;
    default:
        coh_msg m = any_message(c, self, n.epoch ? n.epoch : n.got_epoch);
        if (c.one_in(2))
            m.from = home;
        return coh_node_message(&n, self, home, &m, &out);
    }
}

void fuzz_node(Choice& c) {
    const auto node = std::make_unique<coh_node>();
    const u8 self = good_node(c);
    const u8 home = u8((self + 1 + c.below(4)) % COH_MAX_NODES);

    coh_node_init(node.get());
    for (unsigned i = 0; i < events; i++) {
        const auto out = std::make_unique<coh_out>();
        node_event(c, *node, self, home, *out);
        check_actions(*out, self, false);
        check_node(*node, self);
        coh_node_idle(node.get());
    }
}

} // namespace

void fuzz_coherence(Choice& choice) {
    choice.one_in(2) ? fuzz_home(choice) : fuzz_node(choice);
}

} // namespace procshare::fuzzer
