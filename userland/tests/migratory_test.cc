// SPDX-License-Identifier: GPL-2.0-only
// procshare - unit tests of the guess who is going to write
#include <gtest/gtest.h>

extern "C" {
#include "migratory.h"
}

namespace {

class Migratory : public testing::Test {
protected:
    Migratory() { migratory_init(&m); }

    bool read(u8 who, bool alone) { return migratory_serve(&m, who, false, alone); }
    void write(u8 who) { migratory_serve(&m, who, true, false); }

    migratory m;
};

TEST_F(Migratory, reading_and_then_writing_is_learnt) {
    EXPECT_FALSE(read(1, true));
    write(1);
    EXPECT_TRUE(m.on);
    EXPECT_TRUE(read(2, true));
    EXPECT_TRUE(read(COH_NO_NODE, true));
}

TEST_F(Migratory, home_is_one_of_them) {
    read(COH_NO_NODE, true);
    write(COH_NO_NODE);
    EXPECT_TRUE(read(1, true));
}

TEST_F(Migratory, others_that_read_along_prevent_it) {
    read(1, true);
    read(2, false);
    write(1);
    EXPECT_FALSE(m.on);
    EXPECT_FALSE(read(2, true));
}

TEST_F(Migratory, the_writer_must_be_the_reader) {
    read(1, true);
    write(2);
    EXPECT_FALSE(m.on);
}

TEST_F(Migratory, writing_at_once_changes_nothing) {
    read(1, true);
    write(1);
    write(2);
    EXPECT_TRUE(read(1, true));
}

TEST_F(Migratory, who_writes_what_others_only_read_is_not_followed) {
    write(1);
    EXPECT_FALSE(read(2, true));
    read(1, true);
    write(1);
    EXPECT_FALSE(m.on);
    EXPECT_FALSE(read(2, true));
}

TEST_F(Migratory, many_readers_end_it) {
    read(1, true);
    write(1);
    read(2, false);
    read(3, false);
    write(2);
    EXPECT_FALSE(m.on);
}

TEST_F(Migratory, who_does_not_write_ends_it) {
    read(1, true);
    write(1);
    migratory_unwritten(&m);
    EXPECT_FALSE(read(2, true));
}

} // namespace
