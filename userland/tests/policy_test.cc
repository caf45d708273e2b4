// SPDX-License-Identifier: GPL-2.0-only
#include "policy.hpp"

#include <gtest/gtest.h>

#include "error.hpp"

namespace procshare {
namespace {

TEST(ParsePolicy, RoundTrip) {
    for (const char* text : {"home", "spread", "away", "bounce:1", "bounce:10000"})
        EXPECT_EQ(format_policy(parse_policy(text)), text);
}

TEST(ParsePolicy, Malformed) {
    for (const char* text : {"", "Home", "home ", "bounce", "bounce:", "bounce:0", "bounce:10001",
                             "bounce:-1", "bounce:1ms", "bounce:1.5", "load"})
        EXPECT_THROW(parse_policy(text), Error) << text;
}

} // namespace
} // namespace procshare
