// SPDX-License-Identifier: GPL-2.0-only
// procshare - transactions: which row of the protocol's table is each of home's transactions?
#pragma once

#include <map>
#include <optional>
#include <set>

#include "ftrace.hpp"
#include "result.hpp"

namespace procshare::simulator {

// Hears all that home sends, in order.
class Transactions {
public:
    // True for the first message of a transaction.
    bool sent(const TraceEvent& event);
    // Of the fault of @write that a message of @epoch has ended.
    Row row(std::uint64_t epoch, bool write) const;

private:
    struct Transaction {
        bool owned = false;   // one node had it alone before
        bool forward = false; // another node answers
        bool others = false;  // other nodes give up their copies
    };

    std::map<std::uint64_t, Transaction> all_; // by epoch
    std::set<std::uint64_t> owned_;            // pages
};

} // namespace procshare::simulator
