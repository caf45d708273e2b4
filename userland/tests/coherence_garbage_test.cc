// SPDX-License-Identifier: GPL-2.0-only
// procshare - the coherence machines survive whatever a misbehaving peer sends
#include <random>

#include <gtest/gtest.h>

#include "coherence_output.hpp"

namespace procshare::coherence {
namespace {

class Garbage {
public:
    explicit Garbage(unsigned seed) : random_(seed) {}

    unsigned below(unsigned n) { return unsigned(random_() % n); }

    // Mostly plausible, so that it gets far; sometimes anything at all.
    u8 node() { return u8(below(50) ? below(4) : below(256)); }

    coh_msg message(u8 to, u64 epoch) {
        coh_msg m{};
        m.type = u8(below(12));
        m.from = node();
        m.to = below(50) ? to : node();
        m.access = u8(below(50) ? 1 + below(2) : below(256));
        m.have = u8(below(3));
        m.flags = u8(below(8));
        m.requester = node();
        m.epoch = below(10) ? epoch - below(3) : random_();
        m.acks = below(10) ? below(16) : random_();
        return m;
    }

private:
    std::mt19937_64 random_;
};

void expect_sane(const coh_out& out, u8 self) {
    ASSERT_LT(out.n, unsigned(COH_MAX_ACTIONS));
    for (unsigned i = 0; i < out.n; i++) {
        const coh_action& a = out.a[i];
        if (a.act == COH_SEND) {
            ASSERT_LT(a.msg.to, COH_MAX_NODES);
            ASSERT_NE(a.msg.to, self);
        }
        if (a.act == COH_SEND_SET) {
            ASSERT_FALSE(a.set & coh_bit(self));
        }
    }
}

TEST(Garbage, home_survives) {
    for (unsigned seed = 0; seed < 20; seed++) {
        Garbage g(seed);
        coh_home h;
        u64 epoch = 100;
        coh_home_init(&h);
        for (int i = 0; i < 20000; i++) {
            coh_out out{};
            coh_msg m = g.message(kHome, epoch);
            switch (g.below(12)) {
            case 0:
                coh_home_want(&h, u8(1 + g.below(2)), false);
                break;
            case 1:
                coh_home_want(&h, u8(1u << g.below(3)), true);
                break;
            case 2:
                coh_home_done(&h, u8(1u << g.below(3)));
                break;
            case 3:
                coh_home_release(&h, COH_WRITE);
                break;
            case 4:
                coh_home_refuse(&h, kHome, &out);
                break;
            case 5:
                if (!g.below(20))
                    coh_home_lost(&h, kHome, g.node(), g.below(16), &out);
                break;
            case 6:
            case 7:
                coh_home_run(&h, kHome, &epoch, g.below(2), &out);
                break;
            default:
                coh_home_message(&h, kHome, &m, &out);
            }
            ASSERT_NO_FATAL_FAILURE(expect_sane(out, kHome));
            ASSERT_LE(h.queued, COH_MAX_NODES);
            ASSERT_LE(h.state, COH_HOME_LOST);
            if (h.state == COH_HOME_OWNED) {
                ASSERT_LT(h.owner, COH_MAX_NODES);
            }
            if (h.state == COH_HOME_STALE) {
                ASSERT_NE(h.sharers, 0u);
            }
            ASSERT_FALSE(h.sharers & coh_bit(kHome));
        }
    }
}

TEST(Garbage, node_survives) {
    constexpr u8 kSelf = 1;
    for (unsigned seed = 0; seed < 20; seed++) {
        Garbage g(seed);
        coh_node n;
        coh_node_init(&n);
        for (int i = 0; i < 20000; i++) {
            coh_out out{};
            coh_msg m = g.message(kSelf, 100 + unsigned(i) / 50);
            switch (g.below(10)) {
            case 0:
                coh_node_fault(&n, kSelf, kHome, coh_access(1 + g.below(2)), &out);
                break;
            case 1:
                coh_node_release(&n, kSelf, kHome, &out);
                break;
            case 2:
                coh_node_put(&n, kSelf, kHome, &out);
                break;
            default:
                coh_node_message(&n, kSelf, kHome, &m, &out);
            }
            ASSERT_NO_FATAL_FAILURE(expect_sane(out, kSelf));
            ASSERT_LE(n.ndeferred, COH_MAX_DEFERRED);
            ASSERT_LE(n.state, COH_M);
        }
    }
}

} // namespace
} // namespace procshare::coherence
