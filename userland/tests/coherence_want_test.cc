// SPDX-License-Identifier: GPL-2.0-only
// procshare - unit tests of the directory's machine: what home itself wants, faults and notifiers
#include "coherence_home.hpp"

namespace procshare::coherence {
namespace {

TEST_F(Home, want__write_when_shared_waits_for_all_acks) {
    make_shared({1, 2});
    coh_home_want(&h, COH_WANT_WRITE, false);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_MESSAGES);
    EXPECT_EQ(coh_home_head(&h), COH_NO_NODE);
    Output o = run();
    EXPECT_EQ(o.find(COH_INV)->set, coh_bit(1) | coh_bit(2));
    EXPECT_EQ(o.find(COH_INV)->msg.requester, kHome);
    EXPECT_FALSE(deliver(with_epoch(msg(COH_ACK, 1, kHome), epoch)).did(COH_HOME_WAKE));
    EXPECT_FALSE(deliver(with_epoch(msg(COH_ACK, 1, kHome), epoch)).did(COH_HOME_WAKE));
    EXPECT_FALSE(deliver(with_epoch(msg(COH_ACK, 2, kHome), epoch - 1)).did(COH_HOME_WAKE));
    EXPECT_TRUE(coh_home_wanted(&h, COH_WANT_WRITE, false));
    EXPECT_TRUE(deliver(with_epoch(msg(COH_ACK, 2, kHome), epoch)).did(COH_HOME_WAKE));
    EXPECT_FALSE(coh_home_wanted(&h, COH_WANT_WRITE, false));
    EXPECT_TRUE(coh_home_may(&h, COH_WRITE));
}

TEST_F(Home, want__read_when_owned_brings_the_page_home) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    EXPECT_EQ(run().find(COH_FWD)->msg.requester, kHome);
    Output o = data(1, epoch);
    EXPECT_EQ(o.acts(), (Acts{COH_HOME_DATA, COH_HOME_WAKE}));
    EXPECT_EQ(h.state, COH_HOME_SHARED);
    EXPECT_EQ(h.sharers, coh_bit(1));
}

TEST_F(Home, want__write_when_stale_needs_data_and_acks) {
    make_stale(1, 2);
    coh_home_want(&h, COH_WANT_WRITE, false);
    Output o = run();
    EXPECT_EQ(o.find(COH_FWD)->msg.to, 1);
    EXPECT_EQ(o.find(COH_INV)->set, coh_bit(2));
    EXPECT_FALSE(data(1, epoch).did(COH_HOME_WAKE));
    EXPECT_FALSE(coh_home_may(&h, COH_READ));
    EXPECT_TRUE(deliver(with_epoch(msg(COH_ACK, 2, kHome), epoch)).did(COH_HOME_WAKE));
    EXPECT_EQ(h.state, COH_HOME_ALONE);
}

TEST_F(Home, want__waits_its_turn) {
    make_owned(1);
    deliver(get(2, COH_WRITE));
    coh_home_want(&h, COH_WANT_WRITE, false);
    deliver(get(3, COH_WRITE));
    EXPECT_EQ(run().find(COH_FWD)->msg.requester, 2);
    deliver(with_epoch(msg(COH_DONE, 2, kHome), epoch));
    EXPECT_EQ(run().find(COH_FWD)->msg.requester, kHome);
    data(2, epoch);
    coh_home_release(&h, COH_WRITE);
    EXPECT_EQ(coh_home_head(&h), 3);
}

TEST_F(Home, want__does_not_wait_for_what_needs_home_s_page_tables) {
    make_shared({1});
    deliver(get(2, COH_READ));
    coh_home_want(&h, COH_WANT_WRITE, false);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_MESSAGES);
    EXPECT_EQ(run().find(COH_INV)->msg.requester, kHome);
}

TEST_F(Home, want__reads_and_writes_merge) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    coh_home_want(&h, COH_WANT_WRITE, false);
    EXPECT_EQ(h.queued, 1);
    EXPECT_EQ(run().find(COH_FWD)->msg.access, COH_WRITE);
    data(1, epoch);
    EXPECT_EQ(h.home_want, 0);
    EXPECT_EQ(h.hold, COH_WRITE);
}

TEST_F(Home, want__write_after_a_read_has_begun_is_served_next) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    run();
    coh_home_want(&h, COH_WANT_WRITE, false);
    data(1, epoch);
    EXPECT_TRUE(coh_home_wanted(&h, COH_WANT_WRITE, false));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_MESSAGES);
    EXPECT_EQ(run().find(COH_INV)->set, coh_bit(1));
}

TEST_F(Home, want__notifier_goes_before_the_queue) {
    deliver(get(1, COH_READ));
    coh_home_want(&h, COH_WANT_DISCARD, true);
    EXPECT_EQ(coh_home_head(&h), COH_NO_NODE);
    EXPECT_TRUE(run().did(COH_HOME_WAKE));
    EXPECT_FALSE(coh_home_wanted(&h, COH_WANT_DISCARD, true));
}

TEST_F(Home, release__until_then_no_node_is_served) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_WRITE, false);
    run();
    deliver(get(2, COH_WRITE));
    data(1, epoch);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
    coh_home_release(&h, COH_READ);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
    coh_home_release(&h, COH_WRITE);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_COPY);
}

TEST_F(Home, discard__waits_for_every_holder_and_for_the_zap) {
    make_stale(1, 2);
    coh_home_want(&h, COH_WANT_DISCARD, true);
    EXPECT_EQ(run().find(COH_INV)->set, coh_bit(1) | coh_bit(2));
    deliver(get(3, COH_READ));
    put(1);
    deliver(with_epoch(msg(COH_ACK, 1, kHome), epoch));
    EXPECT_TRUE(coh_home_wanted(&h, COH_WANT_DISCARD, true));
    deliver(with_epoch(msg(COH_ACK, 2, kHome), epoch));
    EXPECT_FALSE(coh_home_wanted(&h, COH_WANT_DISCARD, true));
    EXPECT_EQ(h.state, COH_HOME_ALONE);
    EXPECT_FALSE(coh_home_may(&h, COH_READ));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
    coh_home_done(&h, COH_WANT_DISCARD);
    EXPECT_TRUE(coh_home_may(&h, COH_WRITE));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_COPY);
}

TEST_F(Home, discard__several_at_once_end_one_by_one) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_DISCARD, true);
    run();
    coh_home_want(&h, COH_WANT_DISCARD, true);
    deliver(with_epoch(msg(COH_ACK, 1, kHome), epoch));
    EXPECT_FALSE(coh_home_wanted(&h, COH_WANT_DISCARD, true));
    coh_home_done(&h, COH_WANT_DISCARD);
    EXPECT_FALSE(coh_home_may(&h, COH_READ));
    coh_home_done(&h, COH_WANT_DISCARD);
    EXPECT_TRUE(coh_home_idle(&h));
}

TEST_F(Home, discard__given_up_before_it_was_served) {
    make_owned(1);
    serve(get(2, COH_READ));
    coh_home_want(&h, COH_WANT_DISCARD, true);
    coh_home_done(&h, COH_WANT_DISCARD);
    deliver(with_epoch(msg(COH_DONE, 2, kHome), epoch));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
}

TEST_F(Home, discard__goes_past_the_hold_of_a_fault_and_of_a_recall) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    run();
    data(1, epoch);
    coh_home_want(&h, COH_WANT_READ, true);
    run();
    ASSERT_EQ(h.hold, COH_READ);
    ASSERT_EQ(h.recalls, 1u);
    coh_home_want(&h, COH_WANT_DISCARD, true);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_MESSAGES);
}

} // namespace
} // namespace procshare::coherence
