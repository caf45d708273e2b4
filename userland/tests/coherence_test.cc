// SPDX-License-Identifier: GPL-2.0-only
//
// Unit tests of the page coherence machines: the rows of the protocol's tables,
// and messages that a misbehaving peer could send.  What follows from many steps
// is the checker's business (userland/checker).
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

extern "C" {
#include "coherence.h"
}

namespace {

constexpr u8 kHome = 0;

coh_msg msg(coh_type type, u8 from, u8 to) {
    coh_msg m{};
    m.type = type;
    m.from = from;
    m.to = to;
    m.requester = COH_NO_NODE;
    return m;
}

coh_msg get(u8 from, coh_access access, coh_access have = COH_NONE) {
    coh_msg m = msg(COH_GET, from, kHome);
    m.access = access;
    m.have = have;
    return m;
}

coh_msg with_epoch(coh_msg m, u64 epoch) {
    m.epoch = epoch;
    return m;
}

struct Output {
    coh_out out{};

    std::vector<int> acts() const {
        std::vector<int> list;
        for (unsigned i = 0; i < out.n; i++)
            list.push_back(out.a[i].act);
        return list;
    }
    const coh_action* find(coh_type type) const {
        for (unsigned i = 0; i < out.n; i++)
            if ((out.a[i].act == COH_SEND || out.a[i].act == COH_SEND_SET) && out.a[i].msg.type == type)
                return &out.a[i];
        return nullptr;
    }
    bool did(coh_act act) const {
        for (unsigned i = 0; i < out.n; i++)
            if (out.a[i].act == act)
                return true;
        return false;
    }
};

using Acts = std::vector<int>;

// ---- home ----

class Home : public testing::Test {
protected:
    Home() { coh_home_init(&h); }

    Output deliver(const coh_msg& m) {
        Output o;
        coh_home_message(&h, kHome, &m, &o.out);
        return o;
    }
    Output run(bool eager = false) {
        Output o;
        coh_home_run(&h, kHome, &epoch, eager, &o.out);
        return o;
    }
    Output serve(const coh_msg& m) {
        deliver(m);
        return run();
    }
    Output data(u8 from, u64 epoch) {
        coh_msg m = with_epoch(msg(COH_GRANT, from, kHome), epoch);
        m.flags = COH_DATA;
        return deliver(m);
    }
    Output put(u8 from) {
        coh_msg m = msg(COH_PUT, from, kHome);
        m.flags = COH_DATA;
        return deliver(m);
    }
    Output lose(u8 node, coh_set survivors) {
        Output o;
        coh_home_lost(&h, kHome, node, survivors, &o.out);
        return o;
    }
    Output flushed(u8 from, u8 lost) {
        coh_msg m = msg(COH_FLUSHED, from, kHome);
        m.requester = lost;
        return deliver(m);
    }

    void make_shared(std::initializer_list<u8> readers) {
        for (u8 r : readers)
            serve(get(r, COH_READ));
        ASSERT_EQ(h.state, COH_HOME_SHARED);
    }
    void make_owned(u8 owner) {
        serve(get(owner, COH_WRITE));
        ASSERT_EQ(h.state, COH_HOME_OWNED);
    }
    // @source and @reader read, home's copy is stale.
    void make_stale(u8 source, u8 reader) {
        make_owned(source);
        serve(get(reader, COH_READ));
        deliver(with_epoch(msg(COH_DONE, reader, kHome), epoch));
        ASSERT_EQ(h.state, COH_HOME_STALE);
    }

    coh_home h;
    u64 epoch = 100;
};

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

// ---- a remote node ----

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

// ---- garbage ----

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
