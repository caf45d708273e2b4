// SPDX-License-Identifier: GPL-2.0-only
// Histories of small programs: which ones are sequentially consistent.
#include "program.h"

#include <gtest/gtest.h>

#include "litmus.h"

namespace procshare::checker {
namespace {

Program program(std::vector<std::string> threads) {
    Program p{.name = "test", .pages = 2, .threads = {}};
    for (const std::string& text : threads)
        p.threads.push_back({0, parse_operations(text)});
    return p;
}

History history(const Program& p) {
    History h;
    for (unsigned t = 0; t < p.threads.size(); t++)
        h.done[t] = std::uint8_t(p.threads[t].operations.size());
    return h;
}

TEST(Program, ParsesOperations) {
    const auto operations = parse_operations("Wx Ry Zx Py Fx My");
    ASSERT_EQ(operations.size(), 6u);
    EXPECT_EQ(operations[1].op, Op::kRead);
    EXPECT_EQ(operations[1].page, 1);
    EXPECT_EQ(describe(operations[5]), "My");
    for (const char* wrong : {"", "W", "Wxx", "Qx", "Wq", "Wx  Ry", "-x"})
        EXPECT_TRUE(parse_operations(wrong).empty()) << wrong;
}

TEST(Program, StoreBufferingIsNotConsistent) {
    const Program p = program({"Wx Ry", "Wy Rx"});
    EXPECT_EQ(consistent_histories(p).size(), 3u);
    History h = history(p); // both read 0
    EXPECT_FALSE(consistent(p, h));
    h.seen[0][1] = write_id(1, 0);
    EXPECT_TRUE(consistent(p, h));
}

TEST(Program, MessagePassingKeepsTheOrder) {
    const Program p = program({"Wx Wy", "Ry Rx"});
    History h = history(p);
    h.seen[1] = {write_id(0, 1), 0};
    EXPECT_FALSE(consistent(p, h));
    h.seen[1] = {0, write_id(0, 0)};
    EXPECT_TRUE(consistent(p, h));
}

TEST(Program, WhatWasNotDoneIsNotExplained) {
    const Program p = program({"Wx Wy", "Ry Rx"});
    History h;
    h.done = {0, 1};
    EXPECT_TRUE(consistent(p, h));
    h.seen[1][0] = write_id(0, 1); // nobody has written that
    EXPECT_FALSE(consistent(p, h));
}

TEST(Program, MovesCarryThePage) {
    const Program p = program({"Wx Mx Ry Rx"});
    const auto all = consistent_histories(p);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all.begin()->seen[0][2], write_id(0, 0));
    EXPECT_EQ(all.begin()->seen[0][3], 0);
}

TEST(Litmus, PlacesThreadsOnNodes) {
    // 00 01 10 11 12: remote nodes are alike
    EXPECT_EQ(placements(program({"Wx", "Rx"}), 2).size(), 5u);
    // changes of the mapping are home's
    EXPECT_EQ(placements(program({"Zx", "Rx"}), 2).size(), 2u);
}

TEST(Litmus, RefusesWhatIsNotThere) {
    EXPECT_THROW(read_litmus("/nonexistent"), std::runtime_error);
}

} // namespace
} // namespace procshare::checker
