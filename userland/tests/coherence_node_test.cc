// SPDX-License-Identifier: GPL-2.0-only
// procshare - unit tests of a remote node's machine
#include <gtest/gtest.h>

#include "coherence_output.hpp"

namespace procshare::coherence {
namespace {

class Node : public testing::Test {
protected:
    static constexpr u8 kSelf = 1;

    Node() { coh_node_init(&n); }

    Output fault(coh_access access) {
        Output o;
        coh_node_fault(&n, kSelf, kHome, access, &o.out);
        return o;
    }
    Output deliver(const coh_msg& m) {
        Output o;
        coh_node_message(&n, kSelf, kHome, &m, &o.out);
        return o;
    }
    Output grant(u8 from, coh_access access, u8 flags, u64 epoch, coh_set acks = 0) {
        coh_msg m = with_epoch(msg(COH_GRANT, from, kSelf), epoch);
        m.access = access;
        m.flags = flags;
        m.acks = acks;
        return deliver(m);
    }
    Output inv(u8 requester, u64 epoch) {
        coh_msg m = with_epoch(msg(COH_INV, kHome, kSelf), epoch);
        m.requester = requester;
        return deliver(m);
    }
    Output fwd(u8 requester, coh_access access, u64 epoch, coh_set acks = 0) {
        coh_msg m = with_epoch(msg(COH_FWD, kHome, kSelf), epoch);
        m.requester = requester;
        m.access = access;
        m.acks = acks;
        return deliver(m);
    }
    Output ack(u8 from, u64 epoch) { return deliver(with_epoch(msg(COH_ACK, from, kSelf), epoch)); }
    Output release() {
        Output o;
        coh_node_release(&n, kSelf, kHome, &o.out);
        return o;
    }
    Output put(bool expected) {
        Output o;
        EXPECT_EQ(coh_node_put(&n, kSelf, kHome, &o.out), expected);
        return o;
    }
    Output lost(u8 node) {
        coh_msg m = msg(COH_LOST, kHome, kSelf);
        m.requester = node;
        return deliver(m);
    }

    void reach(coh_access access) {
        fault(access);
        grant(kHome, access, COH_DATA, 10);
        release();
    }
    void reach_source() {
        reach(COH_WRITE);
        fwd(2, COH_READ, 11);
        ASSERT_EQ(n.state, COH_O);
    }

    coh_node n;
};

TEST_F(Node, fault__asks_home_once) {
    Output o = fault(COH_READ);
    EXPECT_EQ(o.find(COH_GET)->msg.to, kHome);
    EXPECT_EQ(o.find(COH_GET)->msg.access, COH_READ);
    EXPECT_EQ(o.find(COH_GET)->msg.have, COH_NONE);
    EXPECT_EQ(fault(COH_READ).out.n, 0u);
    EXPECT_EQ(fault(COH_WRITE).out.n, 0u);
}

TEST_F(Node, fault__nothing_to_do_when_the_copy_suffices) {
    reach(COH_WRITE);
    EXPECT_EQ(fault(COH_READ).out.n, 0u);
    EXPECT_EQ(fault(COH_WRITE).out.n, 0u);
}

TEST_F(Node, fault__upgrade_tells_what_it_has) {
    reach(COH_READ);
    Output o = fault(COH_WRITE);
    EXPECT_EQ(o.find(COH_GET)->msg.access, COH_WRITE);
    EXPECT_EQ(o.find(COH_GET)->msg.have, COH_READ);
}

TEST_F(Node, grant__read) {
    fault(COH_READ);
    Output o = grant(kHome, COH_READ, COH_DATA, 10);
    EXPECT_EQ(o.acts(), (Acts{COH_STORE, COH_INSTALL, COH_WAKE}));
    EXPECT_EQ(o.out.a[1].access, COH_READ);
    EXPECT_EQ(n.state, COH_S);
    EXPECT_TRUE(n.holding);
}

TEST_F(Node, grant__of_a_third_node_is_reported_at_once) {
    fault(COH_WRITE);
    Output o = grant(2, COH_WRITE, COH_DATA | COH_THIRD, 10, coh_bit(3));
    EXPECT_EQ(o.acts(), (Acts{COH_SEND, COH_STORE}));
    EXPECT_EQ(o.find(COH_DONE)->msg.to, kHome);
    EXPECT_EQ(o.find(COH_DONE)->msg.epoch, 10u);
}

TEST_F(Node, grant__without_data_upgrades) {
    reach(COH_READ);
    fault(COH_WRITE);
    Output o = grant(kHome, COH_WRITE, 0, 11);
    EXPECT_EQ(o.acts(), (Acts{COH_INSTALL, COH_WAKE}));
    EXPECT_EQ(n.state, COH_M);
}

TEST_F(Node, grant__without_data_and_without_a_copy_is_ignored) {
    fault(COH_WRITE);
    EXPECT_EQ(grant(kHome, COH_WRITE, 0, 11).out.n, 0u);
    EXPECT_TRUE(n.pending);
}

TEST_F(Node, grant__that_nobody_asked_for_is_ignored) {
    EXPECT_EQ(grant(kHome, COH_WRITE, COH_DATA, 10).out.n, 0u);
    fault(COH_WRITE);
    EXPECT_EQ(grant(kHome, COH_READ, COH_DATA, 10).out.n, 0u);
}

TEST_F(Node, grant__may_be_more_than_was_asked_for) {
    fault(COH_READ);
    EXPECT_TRUE(grant(kHome, COH_WRITE, COH_DATA, 10).did(COH_INSTALL));
    EXPECT_EQ(n.state, COH_M);
}

TEST_F(Node, grant__refused_leaves_the_copy) {
    reach(COH_READ);
    fault(COH_WRITE);
    EXPECT_EQ(grant(2, COH_WRITE, COH_ERROR, 0).out.n, 0u);
    EXPECT_EQ(grant(kHome, COH_WRITE, COH_ERROR, 0).acts(), (Acts{COH_FAIL}));
    EXPECT_EQ(n.state, COH_S);
    EXPECT_FALSE(n.pending);
}

TEST_F(Node, grant__older_than_an_acknowledged_inv_is_void) {
    fault(COH_READ);
    inv(2, 12);
    Output o = grant(kHome, COH_READ, COH_DATA, 11);
    EXPECT_EQ(o.acts(), (Acts{COH_SEND}));
    EXPECT_TRUE(o.find(COH_GET));
    EXPECT_TRUE(grant(kHome, COH_READ, COH_DATA, 13).did(COH_INSTALL));
}

TEST_F(Node, ack__all_are_awaited) {
    fault(COH_WRITE);
    EXPECT_FALSE(grant(kHome, COH_WRITE, COH_DATA, 10, coh_bit(2) | coh_bit(3)).did(COH_INSTALL));
    EXPECT_FALSE(ack(2, 10).did(COH_INSTALL));
    EXPECT_FALSE(ack(3, 9).did(COH_INSTALL));
    EXPECT_FALSE(ack(3, 11).did(COH_INSTALL));
    EXPECT_TRUE(ack(3, 10).did(COH_INSTALL));
    EXPECT_EQ(n.state, COH_M);
}

TEST_F(Node, ack__may_precede_the_grant) {
    fault(COH_WRITE);
    ack(2, 10);
    EXPECT_TRUE(grant(kHome, COH_WRITE, COH_DATA, 10, coh_bit(2)).did(COH_INSTALL));
}

TEST_F(Node, ack__of_an_older_epoch_does_not_count) {
    fault(COH_WRITE);
    ack(2, 9);
    EXPECT_FALSE(grant(kHome, COH_WRITE, COH_DATA, 10, coh_bit(2)).did(COH_INSTALL));
}

TEST_F(Node, ack__when_nothing_is_pending_is_dropped) {
    ack(2, 10);
    EXPECT_TRUE(coh_node_idle(&n));
    EXPECT_EQ(n.got, 0u);
}

TEST_F(Node, inv__without_a_copy) {
    Output o = inv(2, 10);
    EXPECT_EQ(o.acts(), (Acts{COH_SEND}));
    EXPECT_EQ(o.find(COH_ACK)->msg.to, 2);
    EXPECT_EQ(o.find(COH_ACK)->msg.epoch, 10u);
}

TEST_F(Node, inv__unmaps_then_acknowledges) {
    reach(COH_READ);
    EXPECT_EQ(inv(2, 11).acts(), (Acts{COH_UNMAP, COH_SEND, COH_DROP}));
    EXPECT_TRUE(coh_node_idle(&n));
}

TEST_F(Node, inv__during_an_upgrade_the_wait_goes_on) {
    reach(COH_READ);
    fault(COH_WRITE);
    Output o = inv(2, 11);
    EXPECT_EQ(o.acts(), (Acts{COH_UNMAP, COH_SEND, COH_DROP}));
    EXPECT_EQ(n.state, COH_I);
    EXPECT_EQ(n.pending, COH_WRITE);
    EXPECT_TRUE(grant(kHome, COH_WRITE, COH_DATA, 12).did(COH_STORE));
}

TEST_F(Node, inv__deferred_while_acks_are_missing_and_while_held) {
    fault(COH_WRITE);
    grant(kHome, COH_WRITE, COH_DATA, 10, coh_bit(3));
    EXPECT_EQ(inv(2, 11).out.n, 0u);
    EXPECT_EQ(release().out.n, 0u);
    ack(3, 10);
    EXPECT_EQ(n.ndeferred, 1);
    EXPECT_EQ(release().acts(), (Acts{COH_UNMAP, COH_SEND, COH_DROP}));
}

TEST_F(Node, inv__only_from_home) {
    reach(COH_READ);
    coh_msg m = msg(COH_INV, 2, kSelf);
    m.requester = 3;
    EXPECT_EQ(deliver(m).out.n, 0u);
}

TEST_F(Node, fwd__without_a_copy) {
    EXPECT_EQ(fwd(2, COH_READ, 10).find(COH_NOPAGE)->msg.epoch, 10u);
}

TEST_F(Node, fwd__shared_write_protects_then_copies) {
    reach(COH_WRITE);
    Output o = fwd(2, COH_READ, 11);
    EXPECT_EQ(o.acts(), (Acts{COH_WRPROTECT, COH_SEND}));
    EXPECT_EQ(o.find(COH_GRANT)->msg.to, 2);
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, COH_DATA | COH_THIRD);
    EXPECT_EQ(n.state, COH_O);
}

TEST_F(Node, fwd__shared_to_home_leaves_an_ordinary_sharer) {
    reach(COH_WRITE);
    Output o = fwd(kHome, COH_READ, 11);
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, COH_DATA);
    EXPECT_EQ(n.state, COH_S);
}

TEST_F(Node, fwd__exclusive_passes_the_acks_on) {
    reach(COH_WRITE);
    Output o = fwd(2, COH_WRITE, 11, coh_bit(3));
    EXPECT_EQ(o.acts(), (Acts{COH_UNMAP, COH_SEND, COH_DROP}));
    EXPECT_EQ(o.find(COH_GRANT)->msg.acks, coh_bit(3));
    EXPECT_EQ(n.state, COH_I);
}

TEST_F(Node, fwd__deferred_in_order) {
    fault(COH_WRITE);
    grant(kHome, COH_WRITE, COH_DATA, 10);
    fwd(2, COH_READ, 11);
    inv(3, 12);
    EXPECT_EQ(release().acts(), (Acts{COH_WRPROTECT, COH_SEND, COH_UNMAP, COH_SEND, COH_DROP}));
}

TEST_F(Node, deferred__overflow_is_ignored) {
    fault(COH_WRITE);
    grant(kHome, COH_WRITE, COH_DATA, 10);
    for (u64 i = 0; i < 3 * COH_MAX_DEFERRED; i++)
        inv(2, 11 + i);
    EXPECT_EQ(n.ndeferred, COH_MAX_DEFERRED);
    EXPECT_LT(release().out.n, unsigned(COH_MAX_ACTIONS));
    EXPECT_TRUE(coh_node_idle(&n));
}

TEST_F(Node, put__by_state) {
    put(false);
    reach(COH_READ);
    EXPECT_EQ(put(true).acts(), (Acts{COH_UNMAP, COH_DROP}));
    reach(COH_WRITE);
    Output o = put(true);
    EXPECT_EQ(o.acts(), (Acts{COH_UNMAP, COH_SEND, COH_DROP}));
    EXPECT_EQ(o.find(COH_PUT)->msg.flags, COH_DATA);
    reach_source();
    EXPECT_TRUE(put(true).find(COH_PUT));
}

TEST_F(Node, put__not_while_pending_or_held) {
    reach(COH_READ);
    fault(COH_WRITE);
    put(false);
    grant(kHome, COH_WRITE, 0, 11);
    put(false);
    release();
    put(true);
}

TEST_F(Node, lost__answers_at_once_when_nothing_is_deferred) {
    EXPECT_EQ(lost(3).find(COH_FLUSHED)->msg.requester, 3);
    fault(COH_WRITE);
    grant(kHome, COH_WRITE, COH_DATA, 10);
    EXPECT_TRUE(lost(3).find(COH_FLUSHED));
}

TEST_F(Node, lost__answers_behind_deferred_messages) {
    fault(COH_WRITE);
    grant(kHome, COH_WRITE, COH_DATA, 10);
    fwd(2, COH_READ, 11);
    EXPECT_EQ(lost(3).out.n, 0u);
    EXPECT_EQ(lost(4).out.n, 0u);
    EXPECT_EQ(n.ndeferred, 2);
    Output o = release();
    EXPECT_EQ(o.acts(), (Acts{COH_WRPROTECT, COH_SEND, COH_SEND}));
    EXPECT_EQ(o.find(COH_FLUSHED)->msg.requester, 4);
}

TEST_F(Node, lost__its_ack_is_not_awaited) {
    fault(COH_WRITE);
    grant(kHome, COH_WRITE, COH_DATA, 10, coh_bit(3));
    Output o = lost(3);
    EXPECT_TRUE(o.did(COH_INSTALL));
    EXPECT_TRUE(o.find(COH_FLUSHED));
}

TEST_F(Node, lost__remembered_for_a_late_grant) {
    fault(COH_WRITE);
    lost(3);
    EXPECT_TRUE(grant(2, COH_WRITE, COH_DATA, 10, coh_bit(3)).did(COH_INSTALL));
}

TEST_F(Node, lost__acks_are_a_set_not_a_count) {
    fault(COH_WRITE);
    grant(kHome, COH_WRITE, COH_DATA, 10, coh_bit(2) | coh_bit(3));
    ack(3, 10);
    EXPECT_FALSE(lost(3).did(COH_INSTALL));
    EXPECT_TRUE(ack(2, 10).did(COH_INSTALL));
}

TEST_F(Node, lost__home_or_itself_or_out_of_range_is_ignored) {
    EXPECT_EQ(lost(kHome).out.n, 0u);
    EXPECT_EQ(lost(kSelf).out.n, 0u);
    EXPECT_EQ(lost(COH_NO_NODE).out.n, 0u);
}

} // namespace
} // namespace procshare::coherence
