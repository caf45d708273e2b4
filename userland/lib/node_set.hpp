// SPDX-License-Identifier: GPL-2.0-only
// procshare - sets of nodes as numactl writes them: 0,2-4  !3  all
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace procshare {

using NodeSet = std::uint64_t; // one bit per node

constexpr NodeSet node_bit(unsigned node) {
    return NodeSet{1} << node;
}

// A node id, or `home` where @home_allowed.  Throws Error.
unsigned parse_node(std::string_view text, bool home_allowed = false);

// @known: the nodes of the table; `all` means them, `!` complements within them,
// and no other may be named.  Throws Error.
NodeSet parse_node_set(std::string_view text, NodeSet known);

std::string format_node_set(NodeSet set);
// A node id or `home`.
std::string format_node(unsigned node);

} // namespace procshare
