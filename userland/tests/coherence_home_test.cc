// SPDX-License-Identifier: GPL-2.0-only
// procshare - unit tests of the directory's machine: requests of remote nodes, the rows of the protocol's
// table
//
// What follows from many steps is the checker's business (userland/checker).
#include "coherence_home.hpp"

namespace procshare::coherence {
namespace {

TEST_F(Home, init__idle) {
    EXPECT_TRUE(coh_home_idle(&h));
    EXPECT_TRUE(coh_home_may(&h, COH_WRITE));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
}

TEST_F(Home, message__get_is_only_queued) {
    Output o = deliver(get(1, COH_READ));
    EXPECT_EQ(o.out.n, 0u);
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_COPY);
    EXPECT_EQ(coh_home_head(&h), 1);
    EXPECT_FALSE(coh_home_idle(&h));
}

TEST_F(Home, message__second_get_of_a_node_is_ignored) {
    deliver(get(1, COH_READ));
    deliver(get(1, COH_WRITE));
    EXPECT_EQ(h.queued, 1);
    EXPECT_EQ(h.want_write, 0u);
}

TEST_F(Home, message__served_in_order_of_arrival) {
    deliver(get(3, COH_READ));
    deliver(get(1, COH_READ));
    EXPECT_EQ(coh_home_head(&h), 3);
    run();
    EXPECT_EQ(coh_home_head(&h), 1);
}

TEST_F(Home, run__read_when_alone) {
    Output o = serve(get(1, COH_READ));
    EXPECT_EQ(o.acts(), (Acts{COH_HOME_WRPROTECT, COH_SEND}));
    const coh_action* grant = o.find(COH_GRANT);
    EXPECT_EQ(grant->msg.to, 1);
    EXPECT_EQ(grant->msg.access, COH_READ);
    EXPECT_EQ(grant->msg.flags, COH_DATA);
    EXPECT_EQ(grant->msg.epoch, 101u);
    EXPECT_EQ(h.state, COH_HOME_SHARED);
    EXPECT_EQ(h.sharers, coh_bit(1));
}

TEST_F(Home, run__eager_read_when_alone) {
    deliver(get(1, COH_READ));
    Output o = run(true);
    EXPECT_TRUE(o.did(COH_HOME_CLEAR));
    EXPECT_EQ(o.find(COH_GRANT)->msg.access, COH_WRITE);
    EXPECT_EQ(h.state, COH_HOME_OWNED);
}

TEST_F(Home, run__eager_read_takes_the_page_from_its_owner) {
    make_owned(1);
    deliver(get(2, COH_READ));
    Output o = run(true);
    EXPECT_EQ(o.find(COH_FWD)->msg.access, COH_WRITE);
    deliver(with_epoch(msg(COH_DONE, 2, kHome), epoch));
    EXPECT_EQ(h.state, COH_HOME_OWNED);
    EXPECT_EQ(h.owner, 2);
}

TEST_F(Home, run__eager_does_not_take_it_from_readers) {
    make_shared({1, 2});
    deliver(get(3, COH_READ));
    EXPECT_EQ(run(true).find(COH_GRANT)->msg.access, COH_READ);
    EXPECT_EQ(h.state, COH_HOME_SHARED);
}

TEST_F(Home, run__eager_home_reads) {
    make_owned(1);
    coh_home_want(&h, COH_WANT_READ, false);
    EXPECT_EQ(run(true).find(COH_FWD)->msg.access, COH_WRITE);
    data(1, epoch);
    EXPECT_EQ(h.state, COH_HOME_ALONE);
    EXPECT_FALSE(coh_home_wanted(&h, COH_WANT_READ, false));
}

TEST_F(Home, run__write_when_alone) {
    Output o = serve(get(1, COH_WRITE));
    EXPECT_EQ(o.acts(), (Acts{COH_HOME_CLEAR, COH_SEND}));
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, COH_DATA);
    EXPECT_EQ(h.state, COH_HOME_OWNED);
    EXPECT_EQ(h.owner, 1);
}

TEST_F(Home, run__upgrade_of_sole_sharer_sends_no_data) {
    make_shared({1});
    Output o = serve(get(1, COH_WRITE, COH_READ));
    EXPECT_EQ(o.acts(), (Acts{COH_HOME_CLEAR, COH_SEND}));
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, 0);
    EXPECT_EQ(o.find(COH_GRANT)->msg.acks, 0u);
}

TEST_F(Home, run__upgrade_invalidates_the_others) {
    make_shared({1, 2, 3});
    Output o = serve(get(2, COH_WRITE, COH_READ));
    const coh_set others = coh_bit(1) | coh_bit(3);
    EXPECT_EQ(o.find(COH_GRANT)->msg.acks, others);
    EXPECT_EQ(o.find(COH_INV)->set, others);
    EXPECT_EQ(o.find(COH_INV)->msg.requester, 2);
    EXPECT_EQ(o.find(COH_INV)->msg.epoch, o.find(COH_GRANT)->msg.epoch);
    EXPECT_EQ(h.busy, COH_IDLE);
    EXPECT_EQ(h.owner, 2);
}

TEST_F(Home, run__claimed_copy_is_not_believed) {
    make_shared({1});
    Output o = serve(get(2, COH_WRITE, COH_READ));
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, COH_DATA);
}

TEST_F(Home, run__read_when_owned_is_forwarded) {
    make_owned(1);
    Output o = serve(get(2, COH_READ));
    const coh_action* fwd = o.find(COH_FWD);
    EXPECT_EQ(o.out.n, 1u);
    EXPECT_EQ(fwd->msg.to, 1);
    EXPECT_EQ(fwd->msg.requester, 2);
    EXPECT_EQ(fwd->msg.access, COH_READ);
    EXPECT_EQ(h.busy, COH_BUSY_FWD);
    deliver(with_epoch(msg(COH_DONE, 2, kHome), fwd->msg.epoch));
    EXPECT_EQ(h.state, COH_HOME_STALE);
    EXPECT_EQ(h.owner, 1);
    EXPECT_EQ(h.sharers, coh_bit(1) | coh_bit(2));
}

TEST_F(Home, run__write_when_owned_is_forwarded) {
    make_owned(1);
    Output o = serve(get(2, COH_WRITE));
    EXPECT_EQ(o.find(COH_FWD)->msg.access, COH_WRITE);
    deliver(with_epoch(msg(COH_DONE, 2, kHome), epoch));
    EXPECT_EQ(h.state, COH_HOME_OWNED);
    EXPECT_EQ(h.owner, 2);
}

TEST_F(Home, run__read_when_stale_is_forwarded_to_the_source) {
    make_stale(1, 2);
    Output o = serve(get(3, COH_READ));
    EXPECT_EQ(o.find(COH_FWD)->msg.to, 1);
    deliver(with_epoch(msg(COH_DONE, 3, kHome), epoch));
    EXPECT_EQ(h.sharers, coh_bit(1) | coh_bit(2) | coh_bit(3));
}

TEST_F(Home, run__write_when_stale_is_forwarded_and_others_invalidated) {
    make_stale(1, 2);
    Output o = serve(get(3, COH_WRITE));
    EXPECT_EQ(o.find(COH_FWD)->msg.to, 1);
    EXPECT_EQ(o.find(COH_FWD)->msg.acks, coh_bit(2));
    EXPECT_EQ(o.find(COH_INV)->set, coh_bit(2));
    EXPECT_EQ(o.find(COH_INV)->msg.requester, 3);
    EXPECT_EQ(h.busy, COH_BUSY_FWD);
}

TEST_F(Home, run__upgrade_when_stale_is_answered_at_once) {
    make_stale(1, 2);
    Output o = serve(get(2, COH_WRITE, COH_READ));
    EXPECT_EQ(o.find(COH_GRANT)->msg.flags, 0);
    EXPECT_EQ(o.find(COH_INV)->set, coh_bit(1));
    EXPECT_EQ(h.busy, COH_IDLE);
    EXPECT_EQ(h.owner, 2);
}

TEST_F(Home, run__nothing_while_busy) {
    make_owned(1);
    serve(get(2, COH_READ));
    deliver(get(3, COH_READ));
    EXPECT_EQ(coh_home_next(&h), COH_NEXT_NONE);
    EXPECT_EQ(run().out.n, 0u);
}

TEST_F(Home, run__owner_that_asks_is_refused) {
    make_owned(1);
    EXPECT_EQ(serve(get(1, COH_WRITE)).find(COH_GRANT)->msg.flags, COH_ERROR);
    EXPECT_EQ(h.owner, 1);
}

TEST_F(Home, done__wrong_epoch_or_node_does_not_count) {
    make_owned(1);
    serve(get(2, COH_WRITE));
    deliver(with_epoch(msg(COH_DONE, 2, kHome), epoch - 1));
    deliver(with_epoch(msg(COH_DONE, 3, kHome), epoch));
    EXPECT_EQ(h.busy, COH_BUSY_FWD);
}

} // namespace
} // namespace procshare::coherence
