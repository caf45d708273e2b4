// SPDX-License-Identifier: GPL-2.0-only
// The simulator against the protocol's table of faults, and against times worked out by hand.
#include "engine.hpp"

#include <gtest/gtest.h>

#include "error.hpp"

namespace procshare::simulator {
namespace {

using Kind = Access::Kind;

constexpr Nanoseconds later = 10'000'000; // everything before is over by then

// Threads that do what they are told.
class Script : public Workload {
public:
    Script(unsigned nodes, PageId pages) {
        nodes_ = nodes;
        pages_ = pages;
    }
    unsigned thread(NodeId node, std::vector<Access> accesses) {
        threads_.push_back(node);
        accesses_.push_back(std::move(accesses));
        return unsigned(threads_.size()) - 1;
    }
    std::optional<Access> next(unsigned thread) override {
        if (accesses_[thread].empty())
            return {};
        const Access access = accesses_[thread].front();
        accesses_[thread].erase(accesses_[thread].begin());
        return access;
    }

private:
    std::vector<std::vector<Access>> accesses_;
};

Access reads(Nanoseconds think = 0, PageId page = 0) {
    return {.kind = Kind::read, .page = page, .think = think};
}

Access writes(Nanoseconds think = 0, PageId page = 0) {
    return {.kind = Kind::write, .page = page, .think = think};
}

std::size_t count(const Result& result, Row row) {
    return result.faults[static_cast<std::size_t>(row)].latencies.size();
}

TEST(Simulator, RemoteReadTakesWhatItsPartsTake) {
    Script script(2, 1);
    script.thread(1, {reads()});
    const Costs c;
    const Result r = simulate(script, {});
    const auto wire = [&](std::uint64_t bytes) { return Nanoseconds(double(bytes) * 8 / c.link.gigabits); };

    // GET: there and through home; GRANT with the page: back; then the thread goes on.
    const Nanoseconds there = c.trap + c.sending + c.link.latency + wire(64) + c.service;
    const Nanoseconds back =
        c.sending + c.copy + c.link.latency + wire(64 + 4096) + c.service + c.copy + c.wake;
    ASSERT_EQ(count(r, Row::remote_read_home), 1u);
    EXPECT_EQ(r.makespan, there + back);
    EXPECT_EQ(r.faults[0].latencies[0], there + back);
    EXPECT_EQ(r.messages, 2u);
    EXPECT_EQ(r.pages, 1u);
    EXPECT_EQ(r.bytes, 2u * 64 + 4096);
}

TEST(Simulator, RemoteWriteWithoutOtherCopies) {
    Script script(2, 1);
    script.thread(1, {writes()});
    const Result r = simulate(script, {});
    EXPECT_EQ(count(r, Row::remote_write_alone), 1u);
    EXPECT_EQ(r.messages, 2u);
    EXPECT_EQ(r.pages, 1u);
}

TEST(Simulator, UpgradeOfTheSoleSharerSendsNoPage) {
    Script script(2, 1);
    script.thread(1, {reads(), writes(later)});
    const Result r = simulate(script, {});
    EXPECT_EQ(count(r, Row::remote_write_alone), 1u);
    EXPECT_EQ(r.messages, 4u);
    EXPECT_EQ(r.pages, 1u);
}

TEST(Simulator, ThirdNodeAnswersReaders) {
    Script script(3, 1);
    script.thread(1, {writes()});
    script.thread(2, {reads(later)});
    const Result r = simulate(script, {});
    EXPECT_EQ(count(r, Row::remote_read_third), 1u);
    EXPECT_EQ(r.messages, 2u + 4u); // GET FWD GRANT DONE
    EXPECT_EQ(r.pages, 2u);
}

TEST(Simulator, ThirdNodeHandsOverToWriters) {
    Script script(3, 1);
    script.thread(1, {writes()});
    script.thread(2, {writes(later)});
    const Result r = simulate(script, {});
    EXPECT_EQ(count(r, Row::remote_write_third), 1u);
    EXPECT_EQ(r.messages, 2u + 4u);
}

TEST(Simulator, WriterWaitsForEachHolder) {
    for (unsigned holders : {1u, 3u, 10u}) {
        Script script(holders + 2, 1);
        for (unsigned n = 1; n <= holders; n++)
            script.thread(NodeId(n), {reads()});
        script.thread(NodeId(holders + 1), {writes(later)});
        const Result r = simulate(script, {});
        EXPECT_EQ(count(r, Row::remote_write_shared), 1u);
        EXPECT_EQ(r.messages, 2u * holders + 2u + 2u * holders) << holders << " holders";
    }
}

TEST(Simulator, HomeFaults) {
    Script script(3, 1);
    script.thread(1, {writes()});
    script.thread(0, {reads(later), writes(later)});
    const Result r = simulate(script, {});
    EXPECT_EQ(count(r, Row::home_read), 1u);
    EXPECT_EQ(count(r, Row::home_write), 1u);
    EXPECT_EQ(r.messages, 2u + 2u + 2u); // GET GRANT, FWD GRANT, INV ACK
}

TEST(Simulator, OwnPagesCostNothingAtHome) {
    Script script(2, 1);
    script.thread(0, {reads(), writes(), reads(1000)});
    const Result r = simulate(script, {});
    EXPECT_EQ(r.fault_count(), 0u);
    EXPECT_EQ(r.messages, 0u);
    EXPECT_EQ(r.makespan, 1000);
}

TEST(Simulator, ServersWorkSideBySide) {
    const auto makespan = [](unsigned servers) {
        Script script(9, 8);
        for (unsigned n = 1; n <= 8; n++)
            script.thread(NodeId(n), {reads(0, n - 1)});
        EngineOptions options;
        options.costs.servers = servers;
        options.costs.service = 1'000'000;
        return simulate(script, options).makespan;
    };
    EXPECT_GT(makespan(1), 8'000'000); // one after the other
    EXPECT_LT(makespan(8), 2'500'000); // at once, and once more at the node
}

TEST(Simulator, BandwidthIsShared) {
    Script script(9, 8);
    for (unsigned n = 1; n <= 8; n++)
        script.thread(NodeId(n), {reads(0, n - 1)});
    EngineOptions options;
    options.costs.link.gigabits = 0.01;
    const Result r = simulate(script, options);
    const double pages = 8 * (64 + 4096) * 8 / 0.01;
    EXPECT_NEAR(double(r.load[0].out), pages, 8.0);
    EXPECT_GT(double(r.makespan), pages);
    EXPECT_GT(r.link_use(0), 0.9);
}

TEST(Simulator, MinimumHoldDelaysTheNext) {
    const auto latency = [](Nanoseconds hold) {
        Script script(3, 1);
        script.thread(1, {writes()});
        script.thread(2, {writes(20'000)}); // while node 1 gets the page
        EngineOptions options;
        options.costs.hold = hold;
        const Result r = simulate(script, options);
        return r.faults[static_cast<std::size_t>(Row::remote_write_third)].latencies.at(0);
    };
    EXPECT_EQ(latency(500'000) - latency(200'000), 300'000);
}

TEST(Simulator, BarriersHoldBackTheFast) {
    Script script(2, 1);
    script.thread(0, {reads(5000), {.kind = Kind::barrier}});
    script.thread(0, {{.kind = Kind::barrier}, reads(10)});
    EXPECT_EQ(simulate(script, {}).makespan, 5010);
}

TEST(Simulator, WhatWasAskedForAheadIsThere) {
    Script script(2, 2);
    Access first = reads();
    first.ahead = {{.page = 1}};
    script.thread(1, {first, reads(later, 1)});
    const Result r = simulate(script, {});
    EXPECT_EQ(count(r, Row::remote_read_home), 1u);
    EXPECT_EQ(count(r, Row::local), 1u); // only faults map
    EXPECT_EQ(r.messages, 4u);
}

TEST(Simulator, WhatNobodyWaitsForIsNotHeld) {
    Script script(3, 2);
    Access first = writes();
    first.ahead = {{.page = 1, .write = true}};
    script.thread(1, {first});
    script.thread(2, {writes(later, 1)});
    EngineOptions options;
    options.costs.hold = 2 * later;
    const Result r = simulate(script, options);
    EXPECT_EQ(count(r, Row::remote_write_third), 1u);
    EXPECT_LT(r.makespan, 2 * later);
}

TEST(Simulator, HomeAsksAheadToo) {
    Script script(2, 2);
    Access second = reads(later);
    second.ahead = {{.page = 1}};
    script.thread(1, {writes(), writes(0, 1)});
    script.thread(0, {second, reads(later, 1)});
    const Result r = simulate(script, {});
    EXPECT_EQ(count(r, Row::home_read), 1u);
    EXPECT_EQ(count(r, Row::local), 1u);
    EXPECT_EQ(r.messages, 4u + 4u);
}

TEST(Simulator, ZerosAreNotSent) {
    Script script(2, 1);
    Access access = writes();
    access.zero = true;
    script.thread(1, {access});
    const Result r = simulate(script, {});
    EXPECT_EQ(r.messages, 2u);
    EXPECT_EQ(r.pages, 0u);
    EXPECT_EQ(r.bytes, 2u * 64);
}

TEST(Simulator, DiscardedPagesAreHomesAlone) {
    Script script(3, 1);
    script.thread(1, {reads()});
    script.thread(2, {reads(), reads(2 * later)});
    script.thread(0, {{.kind = Kind::discard, .think = later}, writes(later / 2)});
    const Result r = simulate(script, {});
    EXPECT_EQ(r.types[COH_INV], 2u);
    EXPECT_EQ(r.types[COH_ACK], 2u);
    EXPECT_EQ(count(r, Row::remote_read_home), 3u);
    EXPECT_EQ(r.messages, 4u + 4u + 2u);
}

// Read and then written by one after the other: the right to write comes with the copy, and a fault says that
// it is used.
TEST(Simulator, MigratoryPages) {
    Script script(3, 1);
    script.thread(1, {reads(), writes(later)});
    script.thread(2, {reads(3 * later), writes(later)});
    const Result r = simulate(script, {});
    EXPECT_EQ(r.messages, 2u + 2u + 4u);
    EXPECT_EQ(count(r, Row::local), 1u);
}

TEST(Simulator, DistributedDirectoryHasManyHomes) {
    const auto run = [](bool distributed) {
        PatternOptions pattern{.name = "random", .nodes = 32, .pages = 512, .operations = 200};
        const auto workload = make_pattern(pattern);
        EngineOptions options;
        options.distributed = distributed;
        return simulate(*workload, options);
    };
    const Result home = run(false), distributed = run(true);
    EXPECT_GT(home.service_use(0), 5 * home.service_use(1));
    EXPECT_LT(distributed.service_use(0), 2 * distributed.service_use(1));
    EXPECT_LT(distributed.makespan, home.makespan);
}

TEST(Simulator, SaysWhenAPageHasTooManySharers) {
    Script script(65, 1);
    for (unsigned n = 1; n <= 64; n++)
        script.thread(NodeId(n), {reads()});
    try {
        simulate(script, {});
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("more than 64 nodes"), std::string::npos) << error.what();
    }
}

TEST(Simulator, EveryPatternRuns) {
    for (const PatternName& pattern : pattern_names()) {
        const auto workload =
            make_pattern({.name = pattern.name, .nodes = 6, .threads = 2, .operations = 100});
        const Result r = simulate(*workload, {});
        EXPECT_GT(r.accesses, 0u) << pattern.name;
        EXPECT_GT(r.messages, 0u) << pattern.name;
    }
    EXPECT_THROW(make_pattern({.name = "no such"}), Error);
}

TEST(Simulator, ManyNodes) {
    for (const char* name : {"hot-page", "random", "private"}) {
        const auto workload = make_pattern({.name = name, .nodes = 1024, .pages = 16, .operations = 20});
        EXPECT_EQ(simulate(*workload, {}).accesses, 1024u * 20) << name;
    }
}

TEST(Simulator, SameSeedSameResult) {
    const auto run = [](std::uint64_t seed) {
        const auto workload =
            make_pattern({.name = "migratory", .nodes = 8, .operations = 200, .seed = seed});
        return json_result(simulate(*workload, {})).dump();
    };
    EXPECT_EQ(run(1), run(1));
    EXPECT_NE(run(1), run(2));
}

TEST(Result, Quantiles) {
    EXPECT_EQ(quantile({}, 0.5), 0);
    EXPECT_EQ(quantile({7}, 0.99), 7);
    EXPECT_EQ(quantile({5, 1, 3}, 0.5), 3);
    EXPECT_EQ(quantile({5, 1, 3}, 1.0), 5);
}

} // namespace
} // namespace procshare::simulator
