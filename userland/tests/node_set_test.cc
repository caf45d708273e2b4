// SPDX-License-Identifier: GPL-2.0-only
#include "node_set.hpp"

#include <gtest/gtest.h>
#include <linux/procshare.h>

#include "error.hpp"

namespace procshare {
namespace {

constexpr NodeSet known = 0b111111; // nodes 0 to 5

TEST(ParseNodeSet, Single) {
    EXPECT_EQ(parse_node_set("3", known), 0b1000u);
}

TEST(ParseNodeSet, ListAndRange) {
    EXPECT_EQ(parse_node_set("0,2-4", known), 0b11101u);
}

TEST(ParseNodeSet, AllMeansTheTable) {
    EXPECT_EQ(parse_node_set("all", known), known);
}

TEST(ParseNodeSet, ComplementStaysInTheTable) {
    EXPECT_EQ(parse_node_set("!3", known), 0b110111u);
    EXPECT_EQ(parse_node_set("!0,2-4", known), 0b100010u);
}

TEST(ParseNodeSet, LargestNode) {
    EXPECT_EQ(parse_node_set("62-63", ~NodeSet{0}), NodeSet{3} << 62);
}

TEST(ParseNodeSet, Overlap) {
    EXPECT_EQ(parse_node_set("1-3,2,3-4", known), 0b11110u);
}

TEST(ParseNodeSet, Malformed) {
    for (const char* text :
         {"",   ",",  "1,", ",1", "1,,2", "-",  "1-",  "-1",   "1-2-3", "x",
          "1x", "1 ", " 1", "!",  "!!1",  "+1", "0x1", "allx", "64",    "99999999999999999999"})
        EXPECT_THROW(parse_node_set(text, ~NodeSet{0}), Error) << text;
}

TEST(ParseNodeSet, BackwardRange) {
    EXPECT_THROW(parse_node_set("4-2", known), Error);
}

TEST(ParseNodeSet, UnknownNodeIsNamed) {
    try {
        parse_node_set("1,7", known);
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "there is no node 7: 'procshare node list' shows those there are");
    }
}

TEST(ParseNodeSet, EmptyIsRefused) {
    EXPECT_THROW(parse_node_set("!all", known), Error);
    EXPECT_THROW(parse_node_set("all", 0), Error);
}

TEST(ParseNode, HomeOnlyWhereAllowed) {
    EXPECT_EQ(parse_node("home", true), unsigned{PROCSHARE_NODE_HOME});
    EXPECT_EQ(parse_node("63"), 63u);
    EXPECT_THROW(parse_node("home"), Error);
    EXPECT_THROW(parse_node("255", true), Error);
    EXPECT_THROW(parse_node(""), Error);
}

TEST(FormatNodeSet, RoundTrip) {
    for (const char* text : {"0", "63", "0,2-4", "1-3,62-63", "0-63"})
        EXPECT_EQ(format_node_set(parse_node_set(text, ~NodeSet{0})), text);
    EXPECT_EQ(format_node_set(0), "");
}

} // namespace
} // namespace procshare
