// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "error.hpp"
#include "recording.hpp"

namespace procshare::simulator {
namespace {

using Kind = TraceEvent::Kind;
// What tells one message from another, all but the time; the same is said again later, in order.
using Said = std::tuple<u8, u8, std::uint64_t, std::uint64_t, std::uint64_t, u8, u8>;

Said said(const TraceEvent& e) {
    return {e.message.from,  e.message.to,     e.process,         e.page,
            e.message.epoch, e.message.access, u8(e.message.type)};
}

// How long the fastest message took from @sender to @receiver, by their clocks.
std::optional<Nanoseconds> fastest(const std::vector<TraceEvent>& sender,
                                   const std::vector<TraceEvent>& receiver) {
    std::map<Said, std::vector<Nanoseconds>> sent;
    std::map<Said, std::size_t> arrived;
    std::optional<Nanoseconds> least;

    for (const TraceEvent& e : sender)
        if (e.kind == Kind::send)
            sent[said(e)].push_back(e.time);
    for (const TraceEvent& e : receiver) {
        const auto same = e.kind == Kind::receive ? sent.find(said(e)) : sent.end();
        if (same == sent.end())
            continue;
        const std::size_t nth = arrived[said(e)]++;
        if (nth < same->second.size())
            least = std::min(least.value_or(e.time - same->second[nth]), e.time - same->second[nth]);
    }
    return least;
}

} // namespace

std::vector<Nanoseconds> clock_differences(const NodeEvents& nodes) {
    std::vector<Nanoseconds> differences(nodes.size());

    for (std::size_t i = 1; i < nodes.size(); i++) {
        if (nodes[i].empty())
            continue; // was not needed
        const auto there = fastest(nodes[0], nodes[i]), back = fastest(nodes[i], nodes[0]);
        if (!there || !back)
            throw Error("file {} and the first one hold no messages between their nodes: is home's the first "
                        "one, and did a thread run on the other?",
                        i + 1);
        differences[i] = (*there - *back) / 2;
    }
    return differences;
}

void set_clocks(NodeEvents& nodes) {
    const std::vector<Nanoseconds> differences = clock_differences(nodes);

    for (std::size_t i = 0; i < nodes.size(); i++)
        for (TraceEvent& e : nodes[i])
            e.time -= differences[i];
}

} // namespace procshare::simulator
