// SPDX-License-Identifier: GPL-2.0-only
// Traces: the text of the kernel's trace events, and the simulator's own format.
#include "trace.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "error.hpp"
#include "ftrace.hpp"

namespace procshare::simulator {
namespace {

// As tracefs prints them.
constexpr const char* tracefs = R"(# tracer: nop
#
# entries-in-buffer/entries-written: 6/6   #P:1
#
#                                _-----=> irqs-off/BH-disabled
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
            pigz-712     [000] .....   105.000100: procshare_fault: node=1 process=0x7 address=0x7f1200003000 access=read upgrade=0
            pigz-712     [000] .....   105.000120: procshare_coherence_send: process=0x7 address=0x7f1200003000 type=GET from=1 to=0 access=read have=none flags= epoch=0 requester=255 acks=0x0 page=0
 procshare/0-69      [000] .....   105.000400: procshare_coherence_receive: process=0x7 address=0x7f1200003000 type=GRANT from=0 to=1 access=read have=none flags=DATA epoch=5 requester=255 acks=0x0 page=1
            pigz-712     [000] .....   105.000500: procshare_call: process=0x7 tid=41 nr=1
   odd - [x] name-713     [000] d..1.   105.001000: procshare_fault: node=1 process=0x7 address=0x7f1200004abc access=write upgrade=1
            pigz-720     [000] .....   105.002000: procshare_fault: node=1 process=0x9 address=0x7f1200003000 access=read upgrade=0
)";

// As trace-cmd report does, at home.
constexpr const char* trace_cmd = R"(cpus=1
            main-500   [000]   105.003000: procshare_coherence_send: process=0x7 address=0x7f1200003000 type=FWD from=0 to=1 access=write have=none flags= epoch=9 requester=0 acks=0x4 page=0
            main-500   [000]   105.003001: procshare_coherence_send: process=0x7 address=0x7f1200003000 type=INV from=0 to=2 access=none have=none flags= epoch=9 requester=0 acks=0x0 page=0
            main-500   [000]   105.003002: procshare_coherence_send: process=0x7 address=0x7f1200009000 type=FWD from=0 to=1 access=read have=none flags= epoch=10 requester=2 acks=0x0 page=0
            main-500   [000]   105.003750: procshare_coherence_receive: process=0x7 address=0x7f1200003000 type=GRANT from=1 to=0 access=write have=none flags=DATA epoch=9 requester=255 acks=0x0 page=1
)";

std::vector<Fault> from_ftrace(const std::string& text, std::uint64_t process = 0) {
    std::istringstream input(text);
    return read_ftrace(input, "test", {process});
}

TEST(Ftrace, FaultsOfARemoteNode) {
    const auto faults = from_ftrace(tracefs);
    ASSERT_EQ(faults.size(), 3u);
    EXPECT_EQ(faults[0], (Fault{105'000'100'000, 1, 712, 0x7f1200003, false, 300'000}));
    EXPECT_EQ(faults[1], (Fault{105'001'000'000, 1, 713, 0x7f1200004, true, 0}));
}

TEST(Ftrace, OneProcessOnly) {
    EXPECT_EQ(from_ftrace(tracefs, 9).size(), 1u);
    EXPECT_EQ(from_ftrace(tracefs, 8).size(), 0u);
}

TEST(Ftrace, FaultsOfHome) {
    const auto faults = from_ftrace(trace_cmd);
    ASSERT_EQ(faults.size(), 1u); // FWD and INV of one transaction; the other FWD is for node 2
    EXPECT_EQ(faults[0], (Fault{105'003'000'000, 0, 0, 0x7f1200003, true, 750'000}));
}

TEST(Ftrace, BrokenLines) {
    const std::string start = "  x-1  [000] .....   1.000001: procshare_fault: node=1 process=0x7 address=";
    EXPECT_THROW(from_ftrace(start + "nonsense access=read upgrade=0\n"), Error);
    EXPECT_THROW(from_ftrace(start + "0x1000 access=maybe upgrade=0\n"), Error);
    EXPECT_THROW(from_ftrace(start + "0x1000\n"), Error);
    EXPECT_EQ(from_ftrace("  x-1  [000] .....   1.000001: sched_switch: prev=1\n").size(), 0u);
    EXPECT_EQ(from_ftrace("  x-1  [000] .....   later: procshare_fault: node=1\n").size(), 0u);
}

TEST(Trace, WhatIsWrittenIsReadAgain) {
    const std::vector<Fault> faults{{5, 1, 712, 0x7f1200003, false, 300}, {9, 0, 0, 1, true, 0}};
    std::stringstream text;
    write_trace(text, faults);
    EXPECT_EQ(read_trace(text, "test"), faults);
}

TEST(Trace, RefusesWhatItIsNot) {
    for (const char* wrong :
         {"1 2 3 4", "1 2 3 4 x", "1 2 3 4 r 5 6", "a 2 3 4 r", "-1 2 3 4 r", "1 1024 3 4 r"}) {
        std::istringstream input(std::string("# comment\n\n") + wrong + "\n");
        EXPECT_THROW(read_trace(input, "test"), Error) << wrong;
    }
    EXPECT_THROW(make_replay({}), Error);
}

TEST(Trace, ReplayKeepsTheTimesBetween) {
    const auto replay =
        make_replay({{1000, 2, 7, 50, false, 300}, {2000, 2, 7, 51, true, 0}, {1500, 1, 7, 50, true, 0}});
    ASSERT_EQ(replay->threads(), (std::vector<NodeId>{2, 1}));
    EXPECT_EQ(replay->nodes(), 3u);
    EXPECT_EQ(replay->pages(), 2u);
    const auto first = replay->next(0), second = replay->next(0), other = replay->next(1);
    EXPECT_EQ(first->think, 0);
    EXPECT_EQ(second->think, 700); // 300 of the 1000 were spent waiting
    EXPECT_EQ(second->kind, Access::Kind::write);
    EXPECT_EQ(other->think, 500);
    EXPECT_EQ(other->page, first->page);
    EXPECT_FALSE(replay->next(0));
}

} // namespace
} // namespace procshare::simulator
