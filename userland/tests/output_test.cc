// SPDX-License-Identifier: GPL-2.0-only
#include "output.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace procshare {
namespace {

TEST(PrintJson, NamesThatAreNotUtf8) {
    testing::internal::CaptureStdout();
    print_json({{"name", "\xff\x1b[31m"}});
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "{\"name\":\"\ufffd\\u001b[31m\"}\n");
}

} // namespace
} // namespace procshare
