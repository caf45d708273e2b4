// SPDX-License-Identifier: GPL-2.0-only
// Replays: what a thread does when, what it asks for ahead, and whose turn it is.
#include "replay.hpp"

#include <gtest/gtest.h>

#include "engine.hpp"
#include "error.hpp"

namespace procshare::simulator {
namespace {

using Kind = Request::Kind;

Request fault(Nanoseconds time, unsigned node, std::uint64_t page, bool write, Nanoseconds waited = 0) {
    return {time, node, 7, page, Kind::fault, write, waited, false};
}

Request ahead(Nanoseconds time, unsigned node, std::uint64_t page) {
    return {time, node, 7, page, Kind::ahead, false, 0, true};
}

TEST(Replay, NeedsFaults) {
    EXPECT_THROW(make_replay({}), Error);
}

TEST(Replay, KeepsTheTimesBetween) {
    const auto replay =
        make_replay({fault(1000, 2, 50, false, 300), fault(2000, 2, 51, true), fault(1500, 1, 50, true)});
    ASSERT_EQ(replay->threads(), (std::vector<NodeId>{2, 1}));
    EXPECT_EQ(replay->nodes(), 3u);
    EXPECT_EQ(replay->pages(), 2u);
    const auto first = replay->next(0), other = replay->next(1);
    replay->end(0);
    const auto second = replay->next(0);
    replay->end(0);
    EXPECT_EQ(first->think, 0);
    EXPECT_EQ(second->think, 700); // 300 of the 1000 were spent waiting
    EXPECT_EQ(second->kind, Access::Kind::write);
    EXPECT_EQ(other->think, 500);
    EXPECT_EQ(other->page, first->page);
    EXPECT_FALSE(replay->next(0));
}

TEST(Replay, AsksAheadTogetherWithTheFault) {
    const auto replay = make_replay({fault(1000, 1, 50, false, 300), ahead(1010, 1, 51), ahead(1500, 1, 52)});
    const auto first = replay->next(0);
    ASSERT_EQ(first->ahead.size(), 1u);
    EXPECT_EQ(first->ahead[0].page, 1u);
    EXPECT_TRUE(first->ahead[0].zero);
    replay->end(0);
    const auto second = replay->next(0); // when the thread arrives, for example
    EXPECT_EQ(second->kind, Access::Kind::ahead);
    EXPECT_EQ(second->think, 200);
    ASSERT_EQ(second->ahead.size(), 1u);
    EXPECT_EQ(second->ahead[0].page, 2u);
}

TEST(Replay, WhatWasOverBeforeIsOverBefore) {
    const auto replay = make_replay({fault(1000, 1, 50, true, 300), fault(1500, 2, 50, false)});
    EXPECT_FALSE(replay->begin(1, false));
    EXPECT_TRUE(replay->begin(0, false));
    EXPECT_FALSE(replay->begin(1, false));
    replay->end(0);
    EXPECT_TRUE(replay->begin(1, false));
}

TEST(Replay, ReadersDoNotWaitForEachOther) {
    const auto replay = make_replay({fault(1000, 1, 50, false, 300), fault(1500, 2, 50, false)});
    EXPECT_TRUE(replay->begin(1, false));
}

// Both wanted it at the same time: the second one has to lose the page first, if it still has it.
TEST(Replay, WhoFaultedFaults) {
    const auto replay = make_replay({fault(1000, 1, 50, true, 300), fault(1100, 2, 50, true, 400)});
    EXPECT_FALSE(replay->begin(1, true));
    EXPECT_TRUE(replay->begin(1, false));
}

// Two nodes that write in turn do so however much slower everything is.
TEST(Replay, TakingTurnsSurvivesOtherCosts) {
    constexpr unsigned turns = 100;
    std::vector<Request> requests;
    for (unsigned i = 0; i < turns; i++)
        requests.push_back(fault(1000 * i, 1 + i % 2, 50, true, 900));
    for (const Nanoseconds latency : {100, 1'000'000}) {
        const auto replay = make_replay(requests);
        EngineOptions options;
        options.costs.link.latency = latency;
        EXPECT_EQ(simulate(*replay, options).messages, 2 + 4 * (turns - 1)) << latency;
    }
}

} // namespace
} // namespace procshare::simulator
