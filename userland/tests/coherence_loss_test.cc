// SPDX-License-Identifier: GPL-2.0-only
// procshare - unit tests of the directory's machine: pages that are given back, refused or lost with their
// node
#include "coherence_home.hpp"

namespace procshare::coherence {
namespace {

TEST_F(Home, put__from_the_owner) {
    make_owned(1);
    EXPECT_TRUE(put(1).did(COH_HOME_DATA));
    EXPECT_TRUE(coh_home_idle(&h));
}

TEST_F(Home, put__from_the_source) {
    make_stale(1, 2);
    EXPECT_TRUE(put(1).did(COH_HOME_DATA));
    EXPECT_EQ(h.state, COH_HOME_SHARED);
    EXPECT_EQ(h.sharers, coh_bit(2));
}

TEST_F(Home, put__from_others_is_ignored) {
    make_stale(1, 2);
    EXPECT_EQ(put(2).out.n, 0u);
    EXPECT_EQ(put(3).out.n, 0u);
    EXPECT_EQ(h.state, COH_HOME_STALE);
}

TEST_F(Home, put__while_busy_then_done) {
    make_owned(1);
    serve(get(2, COH_READ));
    EXPECT_TRUE(put(1).did(COH_HOME_DATA));
    EXPECT_EQ(h.busy, COH_BUSY_FWD);
    deliver(with_epoch(msg(COH_DONE, 2, kHome), epoch));
    EXPECT_EQ(h.state, COH_HOME_SHARED);
    EXPECT_EQ(h.sharers, coh_bit(2));
}

TEST_F(Home, put__while_busy_then_nopage_home_answers) {
    make_stale(1, 2);
    serve(get(3, COH_WRITE));
    put(1);
    Output o = deliver(with_epoch(msg(COH_NOPAGE, 1, kHome), epoch));
    EXPECT_EQ(o.acts(), (Acts{COH_HOME_CLEAR, COH_SEND}));
    EXPECT_EQ(o.find(COH_GRANT)->msg.acks, coh_bit(2));
    EXPECT_EQ(o.find(COH_GRANT)->msg.epoch, epoch);
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, COH_DATA);
    EXPECT_EQ(h.owner, 3);
}

TEST_F(Home, put__while_home_waits_then_nopage) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    run();
    put(1);
    EXPECT_TRUE(deliver(with_epoch(msg(COH_NOPAGE, 1, kHome), epoch)).did(COH_HOME_WAKE));
    EXPECT_EQ(h.state, COH_HOME_ALONE);
}

TEST_F(Home, nopage__without_put_an_owner_has_lost_the_page) {
    make_owned(1);
    serve(get(2, COH_WRITE));
    Output o = deliver(with_epoch(msg(COH_NOPAGE, 1, kHome), epoch));
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, COH_ERROR);
    EXPECT_EQ(h.state, COH_HOME_LOST);
}

TEST_F(Home, nopage__without_put_another_sharer_is_asked) {
    make_stale(1, 2);
    serve(get(3, COH_READ));
    deliver(with_epoch(msg(COH_NOPAGE, 1, kHome), epoch));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_MESSAGES);
    Output o = run();
    EXPECT_EQ(o.find(COH_FWD)->msg.to, 2);
    EXPECT_EQ(o.find(COH_FWD)->msg.requester, kHome);
    data(2, epoch);
    EXPECT_EQ(coh_home_head(&h), 3);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_COPY);
}

TEST_F(Home, refuse__changes_nothing) {
    make_shared({1});
    deliver(get(1, COH_WRITE, COH_READ));
    Output o;
    coh_home_refuse(&h, kHome, &o.out);
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, COH_ERROR);
    EXPECT_EQ(o.find(COH_GRANT)->msg.access, COH_WRITE);
    EXPECT_EQ(h.sharers, coh_bit(1));
    EXPECT_EQ(h.queued, 0);
}

TEST_F(Home, refuse__home_cannot_be_refused) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    Output o;
    coh_home_refuse(&h, kHome, &o.out);
    EXPECT_EQ(o.out.n, 0u);
}

TEST_F(Home, lost__owner) {
    make_owned(1);
    EXPECT_EQ(lose(1, coh_bit(2)).find(COH_LOST)->set, coh_bit(2));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
    EXPECT_EQ(h.state, COH_HOME_OWNED);
    EXPECT_TRUE(flushed(2, 1).did(COH_HOME_WAKE));
    EXPECT_EQ(h.state, COH_HOME_LOST);
    EXPECT_EQ(serve(get(2, COH_READ)).find(COH_GRANT)->msg.flags, COH_ERROR);
    EXPECT_FALSE(coh_home_may(&h, COH_READ));
}

TEST_F(Home, lost__page_revived_by_a_discard) {
    make_owned(1);
    lose(1, 0);
    ASSERT_EQ(h.state, COH_HOME_LOST);
    coh_home_want(&h, COH_WANT_DISCARD, true);
    run();
    coh_home_done(&h, COH_WANT_DISCARD);
    EXPECT_TRUE(coh_home_idle(&h));
}

TEST_F(Home, lost__home_fault_is_woken_to_see_it) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    run();
    EXPECT_TRUE(lose(1, 0).did(COH_HOME_WAKE));
    EXPECT_FALSE(coh_home_wanted(&h, COH_WANT_READ, false));
    EXPECT_EQ(h.state, COH_HOME_LOST);
}

TEST_F(Home, lost__source_is_replaced) {
    make_stale(1, 2);
    lose(1, coh_bit(2));
    flushed(2, 1);
    EXPECT_EQ(run().find(COH_FWD)->msg.to, 2);
}

TEST_F(Home, lost__queued_request_is_dropped) {
    deliver(get(1, COH_READ));
    lose(1, 0);
    EXPECT_TRUE(coh_home_idle(&h));
}

TEST_F(Home, lost__messages_of_the_lost_are_refused) {
    make_owned(1);
    lose(1, coh_bit(2));
    EXPECT_EQ(put(1).out.n, 0u);
    deliver(get(1, COH_READ));
    EXPECT_EQ(h.queued, 0);
}

TEST_F(Home, lost__sharer_of_a_discard_counts_after_the_flush) {
    make_shared({1, 2});
    coh_home_want(&h, COH_WANT_DISCARD, true);
    run();
    deliver(with_epoch(msg(COH_ACK, 2, kHome), epoch));
    lose(1, coh_bit(2));
    EXPECT_TRUE(coh_home_wanted(&h, COH_WANT_DISCARD, true));
    flushed(2, 1);
    EXPECT_FALSE(coh_home_wanted(&h, COH_WANT_DISCARD, true));
}

TEST_F(Home, lost__reader_of_a_forward) {
    make_owned(1);
    serve(get(2, COH_READ));
    lose(2, coh_bit(1));
    flushed(1, 2);
    EXPECT_EQ(h.state, COH_HOME_STALE);
    EXPECT_EQ(h.owner, 1);
    EXPECT_EQ(h.sharers, coh_bit(1));
}

TEST_F(Home, lost__writer_of_a_forward) {
    make_owned(1);
    serve(get(2, COH_WRITE));
    lose(2, coh_bit(1));
    flushed(1, 2);
    EXPECT_EQ(h.state, COH_HOME_LOST);
}

TEST_F(Home, lost__writer_of_a_forward_whose_source_had_put) {
    make_owned(1);
    serve(get(2, COH_WRITE));
    put(1);
    lose(2, coh_bit(1));
    deliver(with_epoch(msg(COH_NOPAGE, 1, kHome), epoch));
    flushed(1, 2);
    EXPECT_EQ(h.state, COH_HOME_ALONE);
}

TEST_F(Home, lost__source_of_a_read_forward_serves_again) {
    make_stale(1, 2);
    serve(get(3, COH_READ));
    lose(1, coh_bit(2) | coh_bit(3));
    flushed(3, 1);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
    flushed(2, 1);
    EXPECT_EQ(run().find(COH_FWD)->msg.to, 2);
    data(2, epoch);
    EXPECT_EQ(run().find(COH_GRANT)->msg.to, 3);
}

TEST_F(Home, lost__source_of_a_write_forward) {
    make_owned(1);
    serve(get(2, COH_WRITE));
    lose(1, coh_bit(2));
    EXPECT_EQ(flushed(2, 1).find(COH_GRANT)->msg.flags, COH_ERROR);
    EXPECT_EQ(h.state, COH_HOME_LOST);
}

TEST_F(Home, lost__twice_only_the_last_flush_counts) {
    make_owned(1);
    lose(2, coh_bit(1) | coh_bit(3));
    lose(3, coh_bit(1));
    flushed(1, 2);
    EXPECT_NE(h.b_flush, 0u);
    flushed(1, 3);
    EXPECT_EQ(h.b_flush, 0u);
    EXPECT_EQ(h.state, COH_HOME_OWNED);
}

} // namespace
} // namespace procshare::coherence
