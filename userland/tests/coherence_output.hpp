// SPDX-License-Identifier: GPL-2.0-only
// procshare - messages to the coherence machines, and what they answer: for their unit tests
#pragma once

#include <vector>

extern "C" {
#include "coherence.h"
}

namespace procshare::coherence {

inline constexpr u8 kHome = 0;

inline coh_msg msg(coh_type type, u8 from, u8 to) {
    coh_msg m{};
    m.type = type;
    m.from = from;
    m.to = to;
    m.requester = COH_NO_NODE;
    return m;
}

inline coh_msg get(u8 from, coh_access access, coh_access have = COH_NONE) {
    coh_msg m = msg(COH_GET, from, kHome);
    m.access = access;
    m.have = have;
    return m;
}

inline coh_msg with_epoch(coh_msg m, u64 epoch) {
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

} // namespace procshare::coherence
