// SPDX-License-Identifier: GPL-2.0-only
#include "node_set.hpp"

#include <bit>
#include <charconv>

#include <linux/procshare.h>

#include "error.hpp"

namespace procshare {

unsigned parse_node(std::string_view text, bool home_allowed) {
    unsigned node = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), node);

    if (home_allowed && text == "home")
        return PROCSHARE_NODE_HOME;
    if (error != std::errc() || end != text.data() + text.size() || node > PROCSHARE_NODE_MAX)
        throw Error("'{}' is not a node: give a number from 0 to {}{}", text, PROCSHARE_NODE_MAX,
                    home_allowed ? " or 'home'" : "");
    return node;
}

static NodeSet parse_range(std::string_view text) {
    const auto dash = text.find('-');
    const unsigned first = parse_node(text.substr(0, dash));
    const unsigned last = dash == std::string_view::npos ? first : parse_node(text.substr(dash + 1));
    NodeSet set = 0;

    if (last < first)
        throw Error("'{}' is not a range of nodes: write the smaller number first", text);
    for (unsigned node = first; node <= last; node++)
        set |= node_bit(node);
    return set;
}

static NodeSet parse_list(std::string_view text) {
    NodeSet set = 0;

    for (;;) {
        const auto comma = text.find(',');
        set |= parse_range(text.substr(0, comma));
        if (comma == std::string_view::npos)
            return set;
        text.remove_prefix(comma + 1);
    }
}

NodeSet parse_node_set(std::string_view text, NodeSet known) {
    const bool complement = text.starts_with('!');

    if (complement)
        text.remove_prefix(1);
    const NodeSet named = text == "all" ? known : parse_list(text);
    if (named & ~known)
        throw Error("there is no node {}: 'procshare node list' shows those there are",
                    std::countr_zero(named & ~known));
    const NodeSet set = complement ? known & ~named : named;
    if (!set)
        throw Error("the node set '{}{}' is empty: name at least one node", complement ? "!" : "", text);
    return set;
}

std::string format_node_set(NodeSet set) {
    std::string text;

    for (unsigned node = 0; node <= PROCSHARE_NODE_MAX; node++) {
        if (!(set & node_bit(node)))
            continue;
        unsigned last = node;
        while (last < PROCSHARE_NODE_MAX && set & node_bit(last + 1))
            last++;
        text += text.empty() ? "" : ",";
        text += last == node ? fmt::format("{}", node) : fmt::format("{}-{}", node, last);
        node = last;
    }
    return text;
}

std::string format_node(unsigned node) {
    return node == PROCSHARE_NODE_HOME ? "home" : fmt::format("{}", node);
}

} // namespace procshare
