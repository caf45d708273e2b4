// SPDX-License-Identifier: GPL-2.0-only
#include "statistics.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace procshare {
namespace {

Usage usage(unsigned node, std::uint64_t user_ns) {
    Usage usage;

    usage.node = node;
    usage.user_ns = user_ns;
    return usage;
}

TEST(RemoteShare, ExcludesHome) {
    const Statistics statistics{{}, {usage(0, 100), usage(1, 200), usage(2, 100)}};

    EXPECT_DOUBLE_EQ(statistics.remote_share(0), 0.75);
    EXPECT_DOUBLE_EQ(statistics.remote_share(1), 0.5);
}

TEST(RemoteShare, NothingBurnt) {
    EXPECT_EQ(Statistics().remote_share(0), 0);
}

TEST(Add, MergesByNode) {
    Statistics sum{{}, {usage(2, 1)}};
    Statistics other{{}, {usage(0, 4), usage(2, 2)}};

    other.usage[1].counters[0] = 7;
    other.reasons[1] = 3;
    sum.add(other);
    ASSERT_EQ(sum.usage.size(), 2u);
    EXPECT_EQ(sum.usage[0].node, 0u);
    EXPECT_EQ(sum.usage[1].user_ns, 3u);
    EXPECT_EQ(sum.usage[1][PROCSHARE_A_USAGE_FAULT_READ], 7u);
    EXPECT_EQ(sum.reasons[1], 3u);
}

TEST(FormatStatistics, RemoteShareComesFirst) {
    Statistics statistics{{}, {usage(0, 250), usage(1, 750)}};

    EXPECT_TRUE(format_statistics(statistics, 0)
                    .starts_with("user CPU time on remote nodes: 75.0 %\ncame home: never\n"));
    statistics.reasons[1] = 2;
    statistics.reasons[7] = 1;
    EXPECT_NE(format_statistics(statistics, 0).find("came home: signal 2, error 1\n"), std::string::npos);
}

TEST(JsonStatistics, Members) {
    Statistics statistics{{}, {usage(1, 5)}};
    statistics.usage[0].counters.back() = 9;
    const nlohmann::json json = json_statistics(statistics, 0);

    EXPECT_EQ(json["home"], 0);
    EXPECT_EQ(json["remote_user_share"], 1.0);
    EXPECT_EQ(json["reasons"]["memory"], 0);
    EXPECT_EQ(json["nodes"][0]["user_ns"], 5);
    EXPECT_EQ(json["nodes"][0]["departures"], 9);
}

TEST(Names, FollowTheAttributes) {
    EXPECT_EQ(counter_names[PROCSHARE_A_USAGE_CALLS - PROCSHARE_A_USAGE_FAULT_READ], "calls");
    EXPECT_EQ(reason_names[PROCSHARE_A_REASONS_TRACED - PROCSHARE_A_REASONS_ASKED], "traced");
}

} // namespace
} // namespace procshare
