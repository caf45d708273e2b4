// SPDX-License-Identifier: GPL-2.0-only
// procshare - a directory entry in the states that its unit tests begin with
#pragma once

#include <gtest/gtest.h>

#include "coherence_output.hpp"

namespace procshare::coherence {

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

} // namespace procshare::coherence
