// SPDX-License-Identifier: GPL-2.0-only
//
// A fault that home answers has five parts between its events:
//
//   fault  trap  GET sent  there  GET arrives  home  GRANT sent  back  GRANT arrives  wake  fault_end
//
// What a page adds to home and to back is what it takes to copy it, once at each end.  What is left of home
// is handling a message, which is a part of wake, too.  How much of there is the sender's work and how much
// the network's cannot be seen: as much as handling is taken to be the sender's.
#include "calibrate.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "error.hpp"

namespace procshare::simulator {
namespace {

using Kind = TraceEvent::Kind;

constexpr std::size_t least_faults = 16; // of each kind

struct Parts {
    std::vector<Nanoseconds> trap, there, home, back, wake;
    std::size_t size() const { return wake.size(); }
};

// What has been seen of a fault, up to @stage.
struct Course {
    enum Stage { faulted, asked, heard, granted, received };
    Stage stage = faulted;
    Nanoseconds at[5]{};
    unsigned pid = 0;
    bool data = false;
};

using Key = std::tuple<std::uint64_t, std::uint64_t, unsigned>; // process, page, node

class Observer {
public:
    void hear(const TraceEvent& e) {
        const coh_msg& m = e.message;

        if (e.kind == Kind::fault)
            courses_[{e.process, e.page, e.node}] = {Course::faulted, {e.time}, e.pid, false};
        else if (e.kind == Kind::fault_end)
            end(e);
        else if (m.type == COH_GET)
            reach(e, m.from, e.kind == Kind::send ? Course::asked : Course::heard);
        else if (m.type == COH_GRANT && !m.acks && !(m.flags & COH_ERROR))
            reach(e, m.to, e.kind == Kind::send ? Course::granted : Course::received);
    }

    const Parts& with_page() const { return with_page_; }
    const Parts& without() const { return without_; }

private:
    // A stage that does not follow the one before is that of another kind of fault.
    void reach(const TraceEvent& e, unsigned requester, Course::Stage stage) {
        const auto found = courses_.find({e.process, e.page, requester});
        if (found == courses_.end())
            return;
        Course& course = found->second;
        if (course.stage + 1 != stage || (stage == Course::asked && course.pid != e.pid)) {
            courses_.erase(found);
            return;
        }
        course.stage = stage;
        course.at[stage] = e.time;
        course.data = e.data;
    }

    void end(const TraceEvent& e) {
        const auto found = courses_.find({e.process, e.page, e.node});
        if (found == courses_.end())
            return;
        const Course course = found->second;
        courses_.erase(found);
        if (course.stage != Course::received || course.pid != e.pid || !e.mapped)
            return;
        Parts& parts = course.data ? with_page_ : without_;
        const Nanoseconds* const at = course.at;
        parts.trap.push_back(at[1] - at[0]);
        parts.there.push_back(at[2] - at[1]);
        parts.home.push_back(at[3] - at[2]);
        parts.back.push_back(at[4] - at[3]);
        parts.wake.push_back(e.time - at[4]);
    }

    std::map<Key, Course> courses_;
    Parts with_page_, without_;
};

Nanoseconds median(const std::vector<Nanoseconds>& values) {
    return quantile(values, 0.5);
}

Nanoseconds positive(Nanoseconds time) {
    return std::max<Nanoseconds>(0, time);
}

Costs costs_of(const Parts& with_page, const Parts& without) {
    Costs costs;

    const Nanoseconds at_home = median(with_page.home) - median(without.home);
    const Nanoseconds on_the_way = median(with_page.back) - median(without.back);
    costs.copy = positive((at_home + on_the_way) / 2);
    costs.trap = median(with_page.trap);
    costs.service = median(without.home);
    // There and back together do not depend on the clocks.
    const Nanoseconds there = positive(median(without.there) + median(without.back)) / 2;
    costs.sending = std::min(costs.service, there / 2);
    costs.link.latency = there - costs.sending;
    costs.wake = positive(median(with_page.wake) - costs.service);
    return costs;
}

} // namespace

Costs calibrate(const NodeEvents& nodes) {
    std::vector<TraceEvent> all;
    Observer observer;

    for (const std::vector<TraceEvent>& events : nodes)
        all.insert(all.end(), events.begin(), events.end());
    std::ranges::stable_sort(all, {}, &TraceEvent::time);
    for (const TraceEvent& e : all)
        observer.hear(e);
    if (observer.with_page().size() < least_faults || observer.without().size() < least_faults)
        throw Error(
            "home has answered {} faults with a page and {} without: record 'procshare bench read-fault' "
            "and 'procshare bench upgrade'",
            observer.with_page().size(), observer.without().size());
    return costs_of(observer.with_page(), observer.without());
}

std::string format_costs(const Costs& c) {
    const auto us = [](Nanoseconds time) { return double(time) / 1e3; };
    return fmt::format(
        "--latency {:.1f} --service {:.1f} --sending {:.1f} --copy {:.1f} --trap {:.1f} --wake {:.1f}",
        us(c.link.latency), us(c.service), us(c.sending), us(c.copy), us(c.trap), us(c.wake));
}

} // namespace procshare::simulator
