// SPDX-License-Identifier: GPL-2.0-only
// Traces: the text of the kernel's trace events, and the simulator's own format.
#include "trace.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "error.hpp"
#include "ftrace.hpp"

namespace procshare::simulator {
namespace {

using Kind = TraceEvent::Kind;

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
 procshare/0-69      [000] .....   105.000400: procshare_coherence_receive: process=0x7 address=0x7f1200003000 type=GRANT from=0 to=1 access=read have=none flags=DATA|THIRD epoch=5 requester=255 acks=0x6 page=1
            pigz-712     [000] .....   105.000450: procshare_fault_end: node=1 process=0x7 address=0x7f1200003000 access=read mapped=1
            pigz-712     [000] .....   105.000500: procshare_call: process=0x7 tid=41 nr=1
   odd - [x] name-713     [000] d..1.   105.001000: procshare_fault: node=1 process=0x9 address=0x7f1200004abc access=write upgrade=1
)";

// As trace-cmd report does.
constexpr const char* trace_cmd = R"(cpus=1
            main-500   [000]   105.003000: procshare_coherence_send: process=0x7 address=0x7f1200003000 type=INV from=0 to=2 access=none have=none flags= epoch=9 requester=0 acks=0x4 page=0
)";

std::vector<TraceEvent> events_of(const std::string& text) {
    std::istringstream input(text);
    return read_ftrace(input, "test");
}

TEST(Ftrace, Faults) {
    const auto events = events_of(tracefs);
    ASSERT_EQ(events.size(), 5u);
    EXPECT_EQ(events[0].kind, Kind::fault);
    EXPECT_EQ(events[0].time, 105'000'100'000);
    EXPECT_EQ(events[0].pid, 712u);
    EXPECT_EQ(events[0].node, 1u);
    EXPECT_EQ(events[0].process, 7u);
    EXPECT_EQ(events[0].page, 0x7f1200003u);
    EXPECT_EQ(events[0].access, COH_READ);
    EXPECT_EQ(events[3].kind, Kind::fault_end);
    EXPECT_TRUE(events[3].mapped);
    EXPECT_EQ(events[4].pid, 713u);
    EXPECT_EQ(events[4].page, 0x7f1200004u);
    EXPECT_EQ(events[4].access, COH_WRITE);
}

TEST(Ftrace, Messages) {
    const auto events = events_of(tracefs);
    EXPECT_EQ(events[1].kind, Kind::send);
    EXPECT_EQ(events[1].node, 1u);
    EXPECT_EQ(events[1].message.type, COH_GET);
    EXPECT_FALSE(events[1].data);
    EXPECT_EQ(events[2].kind, Kind::receive);
    EXPECT_EQ(events[2].node, 1u);
    EXPECT_EQ(events[2].message.type, COH_GRANT);
    EXPECT_EQ(events[2].message.epoch, 5u);
    EXPECT_EQ(events[2].message.acks, 6u);
    EXPECT_EQ(events[2].message.flags, COH_DATA);
    EXPECT_TRUE(events[2].data);
}

TEST(Ftrace, TraceCmd) {
    const auto events = events_of(trace_cmd);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].node, 0u);
    EXPECT_EQ(events[0].message.type, COH_INV);
    EXPECT_EQ(events[0].message.to, 2);
    EXPECT_EQ(events[0].message.requester, 0);
}

TEST(Ftrace, BrokenLines) {
    const std::string start = "  x-1  [000] .....   1.000001: procshare_fault: node=1 process=0x7 address=";
    EXPECT_THROW(events_of(start + "nonsense access=read upgrade=0\n"), Error);
    EXPECT_THROW(events_of(start + "0x1000 access=maybe upgrade=0\n"), Error);
    EXPECT_THROW(events_of(start + "0x1000\n"), Error);
    EXPECT_EQ(events_of("  x-1  [000] .....   1.000001: sched_switch: prev=1\n").size(), 0u);
    EXPECT_EQ(events_of("  x-1  [000] .....   later: procshare_fault: node=1\n").size(), 0u);
}

TEST(Ftrace, OneNodeInAFile) {
    EXPECT_THROW(events_of(std::string(tracefs) + trace_cmd), Error);
}

TEST(Trace, WhatIsWrittenIsReadAgain) {
    using Kind = Request::Kind;
    const std::vector<Request> requests{{5, 1, 712, 0x7f1200003, Kind::fault, false, 300, false},
                                        {6, 1, 712, 0x7f1200004, Kind::ahead, true, 0, true},
                                        {9, 0, 0, 1, Kind::discard, false, 0, false},
                                        {9, 0, 4, 1, Kind::fault, true, 7, true}};
    std::stringstream text;
    write_trace(text, requests);
    EXPECT_EQ(read_trace(text, "test"), requests);
}

TEST(Trace, RefusesWhatItIsNot) {
    for (const char* wrong : {"1 2 3 4", "1 2 3 4 x", "1 2 3 4 rw", "1 2 3 4 r 5 6", "1 2 3 4 r 5 zero 6",
                              "1 2 3 4 r x", "a 2 3 4 r", "-1 2 3 4 r", "1 1024 3 4 r"}) {
        std::istringstream input(std::string("# comment\n\n") + wrong + "\n");
        EXPECT_THROW(read_trace(input, "test"), Error) << wrong;
    }
}

} // namespace
} // namespace procshare::simulator
