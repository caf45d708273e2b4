// SPDX-License-Identifier: GPL-2.0-only
#include "table.hpp"

#include <gtest/gtest.h>

namespace procshare {
namespace {

TEST(Table, AlignsAndTrims) {
    Table table({{"ID"}, {"NAME", Table::Align::left}, {"WHY", Table::Align::left}});

    table.row({"1", "long name", ""});
    table.row({"100", "x", "late"});
    EXPECT_EQ(table.text(), " ID  NAME       WHY\n"
                            "  1  long name\n"
                            "100  x          late\n");
}

TEST(Table, AlignsByColumnsOfTheTerminal) {
    Table table({{"NAME", Table::Align::left}, {"ID"}});

    table.row({"größe", "1"});
    table.row({"中文字", "中"});
    table.row({"\x1b", "3"});
    EXPECT_EQ(table.text(), "NAME    ID\n"
                            "größe    1\n"
                            "中文字  中\n"
                            "\\x1b     3\n");
}

TEST(Table, Empty) {
    EXPECT_EQ(Table({{"ID"}}).text(), "ID\n");
}

} // namespace
} // namespace procshare
