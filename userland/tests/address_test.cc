// SPDX-License-Identifier: GPL-2.0-only
#include "address.hpp"

#include <gtest/gtest.h>

#include "error.hpp"

namespace procshare {
namespace {

TEST(ParseAddress, DefaultPort) {
    const Address address = parse_address("10.77.0.1");

    EXPECT_FALSE(address.v6);
    EXPECT_EQ(address.host(), "10.77.0.1");
    EXPECT_EQ(address.port, PROCSHARE_DEFAULT_PORT);
    EXPECT_EQ(address.bytes[0], std::byte{10});
    EXPECT_EQ(address.size(), 4u);
}

TEST(ParseAddress, Port) {
    EXPECT_EQ(parse_address("10.77.0.1:99").port, 99);
}

TEST(ParseAddress, V6) {
    EXPECT_EQ(parse_address("fd00::1").host(), "fd00::1");
    EXPECT_EQ(parse_address("fd00::1").port, PROCSHARE_DEFAULT_PORT);
    EXPECT_EQ(parse_address("[fd00::1]").host(), "fd00::1");
    EXPECT_EQ(parse_address("[fd00::1]:99").host(), "fd00::1");
    EXPECT_EQ(parse_address("[fd00::1]:99").port, 99);
    EXPECT_EQ(parse_address("fd00::1").size(), 16u);
}

TEST(ParseAddress, Malformed) {
    for (const char* text :
         {"", "host", "10.77.0", "10.77.0.256", "10.77.0.1:", "10.77.0.1:0", "10.77.0.1:65536", "10.77.0.1:x",
          ":99", "[fd00::1", "[fd00::1]:", "[]:99", "fd00:::1", "[]"})
        EXPECT_THROW(parse_address(text), Error) << text;
}

TEST(ParseAddress, LinkLocal) {
    EXPECT_THROW(parse_address("fe80::1"), Error);
    EXPECT_THROW(parse_address("[febf::1]:99"), Error);
    EXPECT_EQ(parse_address("fec0::1").host(), "fec0::1");
}

TEST(SameHost, IgnoresThePort) {
    EXPECT_TRUE(parse_address("10.77.0.1:1").same_host(parse_address("10.77.0.1:2")));
    EXPECT_FALSE(parse_address("10.77.0.1").same_host(parse_address("10.77.0.2")));
}

TEST(LocalAddresses, HasLoopback) {
    bool found = false;

    for (const Address& address : local_addresses())
        found |= address.same_host(parse_address("127.0.0.1"));
    EXPECT_TRUE(found);
}

} // namespace
} // namespace procshare
