// SPDX-License-Identifier: GPL-2.0-only
#include "transactions.hpp"

namespace procshare::simulator {

bool Transactions::sent(const TraceEvent& event) {
    const coh_msg& m = event.message;
    const auto [entry, first] = all_.try_emplace(m.epoch);
    Transaction& t = entry->second;
    const bool for_home = m.requester == m.from;

    if (first)
        t.owned = owned_.contains(event.page);
    t.forward = t.forward || m.type == COH_FWD;
    t.others = t.others || m.type == COH_INV;
    if (m.access == COH_WRITE && !for_home)
        owned_.insert(event.page);
    else if (m.type != COH_INV || for_home)
        owned_.erase(event.page);
    return first;
}

Row Transactions::row(std::uint64_t epoch, bool write) const {
    const auto found = all_.find(epoch);
    const Transaction t = found == all_.end() ? Transaction{} : found->second;

    if (!write)
        return t.forward ? Row::remote_read_third : Row::remote_read_home;
    if (t.forward)
        return t.owned ? Row::remote_write_third : Row::remote_write_shared;
    return t.others ? Row::remote_write_shared : Row::remote_write_alone;
}

} // namespace procshare::simulator
