// SPDX-License-Identifier: GPL-2.0-only
// Recordings: what the events of several nodes together are taken for.
#include "recording.hpp"

#include <gtest/gtest.h>

#include "calibrate.hpp"
#include "error.hpp"

namespace procshare::simulator {
namespace {

using Kind = TraceEvent::Kind;

constexpr std::uint64_t process = 7; // of home 0

// Events by node, as they come; home is 0.
class Script {
public:
    explicit Script(unsigned nodes) : events(nodes) {}

    void fault(Nanoseconds time, unsigned node, std::uint64_t page, coh_access access) {
        add({.kind = Kind::fault,
             .time = time,
             .pid = 10 + node,
             .node = node,
             .page = page,
             .access = access});
    }
    void end(Nanoseconds time, unsigned node, std::uint64_t page, bool mapped = true) {
        add({.kind = Kind::fault_end,
             .time = time,
             .pid = 10 + node,
             .node = node,
             .page = page,
             .mapped = mapped});
    }
    // Takes a while.
    void message(Nanoseconds time, coh_type type, unsigned from, unsigned to, std::uint64_t page,
                 coh_access access, unsigned epoch = 0, unsigned requester = COH_NO_NODE, bool data = false,
                 unsigned flags = 0, Nanoseconds takes = 10) {
        TraceEvent event{.kind = Kind::send,
                         .time = time,
                         .pid = 10 + from,
                         .node = from,
                         .page = page,
                         .access = access,
                         .data = data};
        event.message = {.type = u8(type),
                         .from = u8(from),
                         .to = u8(to),
                         .access = u8(access),
                         .have = COH_NONE,
                         .flags = u8(flags | (data ? COH_DATA : 0)),
                         .requester = u8(requester),
                         .epoch = epoch,
                         .acks = 0};
        add(event);
        event.kind = Kind::receive;
        event.time += takes;
        event.node = to;
        event.pid = 99;
        add(event);
    }
    void get(Nanoseconds time, unsigned from, std::uint64_t page, coh_access access) {
        message(time, COH_GET, from, 0, page, access);
    }

    NodeEvents events;

private:
    void add(TraceEvent event) {
        event.process = process;
        events[event.node].push_back(event);
    }
};

std::size_t count(const Recording& recording, Row row) {
    return recording.measured.faults[std::size_t(row)].latencies.size();
}

TEST(Recording, AFaultThatHomeAnswers) {
    Script script(2);
    script.fault(100, 1, 5, COH_READ);
    script.get(110, 1, 5, COH_READ);
    script.message(130, COH_GRANT, 0, 1, 5, COH_READ, 1, COH_NO_NODE, true);
    script.end(150, 1, 5);
    const Recording r = make_recording(script.events);
    ASSERT_EQ(r.requests.size(), 1u);
    EXPECT_EQ(r.requests[0], (Request{100, 1, 11, 5, Request::Kind::fault, false, 50, false}));
    EXPECT_EQ(count(r, Row::remote_read_home), 1u);
    EXPECT_EQ(r.measured.messages, 2u);
    EXPECT_EQ(r.measured.types[COH_GET], 1u);
    EXPECT_EQ(r.measured.pages, 1u);
    EXPECT_EQ(r.measured.makespan, 50);
    EXPECT_EQ(r.measured.waited(), 50);
}

TEST(Recording, WritersByWhatOthersHave) {
    Script script(3);
    const auto write = [&](Nanoseconds at, unsigned node) {
        script.fault(at, node, 5, COH_WRITE);
        script.get(at + 1, node, 5, COH_WRITE);
        script.end(at + 90, node, 5);
    };
    write(100, 1); // nobody else has it
    script.message(120, COH_GRANT, 0, 1, 5, COH_WRITE, 1, COH_NO_NODE, true);
    write(200, 2); // node 1 owns it
    script.message(220, COH_FWD, 0, 1, 5, COH_WRITE, 2, 2);
    script.message(240, COH_GRANT, 1, 2, 5, COH_WRITE, 2, COH_NO_NODE, true);
    script.fault(300, 1, 5, COH_READ); // node 2 does
    script.get(301, 1, 5, COH_READ);
    script.message(320, COH_FWD, 0, 2, 5, COH_READ, 3, 1);
    script.message(340, COH_GRANT, 2, 1, 5, COH_READ, 3, COH_NO_NODE, true);
    script.end(390, 1, 5);
    write(400, 1); // node 2 reads
    script.message(420, COH_GRANT, 0, 1, 5, COH_WRITE, 4);
    script.message(421, COH_INV, 0, 2, 5, COH_NONE, 4, 1);
    script.message(440, COH_ACK, 2, 1, 5, COH_NONE, 4);
    const Recording r = make_recording(script.events);
    EXPECT_EQ(count(r, Row::remote_write_alone), 1u);
    EXPECT_EQ(count(r, Row::remote_write_third), 1u);
    EXPECT_EQ(count(r, Row::remote_read_third), 1u);
    EXPECT_EQ(count(r, Row::remote_write_shared), 1u);
}

TEST(Recording, HomesOwn) {
    Script script(2);
    script.fault(100, 0, 5, COH_READ);
    script.message(110, COH_FWD, 0, 1, 5, COH_READ, 1, 0);
    script.message(130, COH_GRANT, 1, 0, 5, COH_READ, 1, COH_NO_NODE, true);
    script.end(150, 0, 5);
    script.fault(200, 0, 6, COH_READ); // it has come back already
    script.end(201, 0, 6);
    script.message(300, COH_INV, 0, 1, 7, COH_NONE, 2, 0);  // munmap
    script.message(400, COH_FWD, 0, 1, 8, COH_WRITE, 3, 0); // mprotect
    const Recording r = make_recording(script.events);
    EXPECT_EQ(count(r, Row::home_read), 1u);
    EXPECT_EQ(count(r, Row::local), 1u);
    ASSERT_EQ(r.requests.size(), 4u);
    EXPECT_EQ(r.requests[2], (Request{300, 0, 10, 7, Request::Kind::discard, false, 0, false}));
    EXPECT_EQ(r.requests[3], (Request{400, 0, 10, 8, Request::Kind::ahead, true, 0, false}));
}

TEST(Recording, AskedAheadAndZero) {
    Script script(2);
    script.fault(100, 1, 5, COH_WRITE);
    script.get(110, 1, 5, COH_WRITE);
    script.get(111, 1, 6, COH_WRITE);
    script.message(130, COH_GRANT, 0, 1, 5, COH_WRITE, 1, COH_NO_NODE, true);
    script.message(131, COH_GRANT, 0, 1, 6, COH_WRITE, 2, COH_NO_NODE, false, COH_DATA);
    script.end(150, 1, 5);
    script.fault(200, 1, 6, COH_WRITE); // it is there
    script.end(201, 1, 6);
    const Recording r = make_recording(script.events);
    ASSERT_EQ(r.requests.size(), 3u);
    EXPECT_EQ(r.requests[1], (Request{111, 1, 11, 6, Request::Kind::ahead, true, 0, true}));
    EXPECT_FALSE(r.requests[0].zero);
    EXPECT_EQ(count(r, Row::local), 1u);
    EXPECT_EQ(r.measured.pages, 1u);
}

TEST(Recording, RefusedAndUnfinishedFaultsAreLeftOut) {
    Script script(2);
    script.fault(100, 1, 5, COH_READ);
    script.get(110, 1, 5, COH_READ);
    script.message(130, COH_GRANT, 0, 1, 5, COH_READ, 0, COH_NO_NODE, false, COH_ERROR);
    script.end(150, 1, 5, false);
    script.fault(200, 1, 6, COH_READ);
    const Recording r = make_recording(script.events);
    EXPECT_EQ(r.requests.size(), 0u);
    EXPECT_EQ(r.refused, 1u);
}

TEST(Recording, OneProcess) {
    Script script(2);
    script.fault(100, 1, 5, COH_READ);
    script.fault(100, 1, 5, COH_READ);
    script.events[1].back().process = 9;
    EXPECT_THROW(make_recording(script.events), Error);
    only_process(script.events, 9);
    EXPECT_EQ(script.events[1].size(), 1u);
    EXPECT_NO_THROW(make_recording(script.events));
    only_process(script.events, 8);
    EXPECT_THROW(make_recording(script.events), Error);
}

// Home answers @faults faults of 1000 + 200 with the page, or of 1000; node 1's clock is @ahead.
void add_faults(Script& script, unsigned faults, bool page, Nanoseconds& time) {
    for (unsigned i = 0; i < faults; i++, time += 10'000) {
        const std::uint64_t number = std::uint64_t(time);
        const Nanoseconds copy = page ? 100 : 0;
        script.fault(time, 1, number, COH_WRITE);
        script.message(time + 50, COH_GET, 1, 0, number, COH_WRITE, 0, COH_NO_NODE, false, 0, 300);
        script.message(time + 450 + copy, COH_GRANT, 0, 1, number, COH_WRITE, unsigned(time), COH_NO_NODE,
                       page, 0, 300 + copy);
        script.end(time + 1000 + 2 * copy, 1, number);
    }
}

TEST(Recording, ClocksThatDiffer) {
    Script script(2);
    Nanoseconds time = 1'000'000;
    add_faults(script, 3, false, time);
    for (TraceEvent& e : script.events[1])
        e.time += 123'456'789;
    EXPECT_EQ(clock_differences(script.events), (std::vector<Nanoseconds>{0, 123'456'789}));
    set_clocks(script.events);
    EXPECT_EQ(script.events[1].front().time, 1'000'000);
    NodeEvents strangers = script.events;
    strangers[0].clear();
    EXPECT_THROW(clock_differences(strangers), Error);
    strangers[1].clear();
    EXPECT_NO_THROW(clock_differences(strangers));
}

TEST(Calibrate, TakesAFaultApart) {
    Script script(2);
    Nanoseconds time = 1'000'000;
    add_faults(script, 20, true, time);
    add_faults(script, 20, false, time);
    const Costs costs = calibrate(script.events);
    EXPECT_EQ(costs.trap, 50);
    EXPECT_EQ(costs.copy, 100);
    EXPECT_EQ(costs.service, 100);
    EXPECT_EQ(costs.sending, 100);
    EXPECT_EQ(costs.link.latency, 200); // 300 there
    EXPECT_EQ(costs.wake, 150);         // 250 from the GRANT on
}

TEST(Calibrate, NeedsBothKinds) {
    Script script(2);
    Nanoseconds time = 1'000'000;
    add_faults(script, 20, true, time);
    EXPECT_THROW(calibrate(script.events), Error);
}

} // namespace
} // namespace procshare::simulator
