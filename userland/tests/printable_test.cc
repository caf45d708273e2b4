// SPDX-License-Identifier: GPL-2.0-only
#include "printable.hpp"

#include <gtest/gtest.h>

namespace procshare {
namespace {

TEST(Printable, LeavesTextAlone) {
    EXPECT_EQ(printable(""), "");
    EXPECT_EQ(printable("worker 1\\2"), "worker 1\\2");
    EXPECT_EQ(printable("größe 中文"), "größe 中文");
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
    EXPECT_EQ(printable("\x1b[31mred\n\t\x7f"), "\\x1b[31mred\\x0a\\x09\\x7f");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(printable("\u009b2J"), "\\xc2\\x9b2J"); // CSI as one character
}

TEST(Printable, EscapesWhatIsNotUtf8) {
    EXPECT_EQ(printable("\xff\xe4x"), "\\xff\\xe4x");
    EXPECT_EQ(printable("cut \xc3"), "cut \\xc3"); // as the kernel cuts names
    EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80");
}

TEST(Columns, CountsWhatIsSeen) {
    EXPECT_EQ(columns("abc"), 3u);
    EXPECT_EQ(columns("größe"), 5u);
    EXPECT_EQ(columns("中文"), 4u);
    EXPECT_EQ(columns("e\u0301"), 1u); // a combining accent
}

} // namespace
} // namespace procshare
