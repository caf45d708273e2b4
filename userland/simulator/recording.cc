// SPDX-License-Identifier: GPL-2.0-only
#include "recording.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "error.hpp"
#include "network.hpp"
#include "transactions.hpp"

namespace procshare::simulator {
namespace {

using Kind = TraceEvent::Kind;

constexpr unsigned home_shift = 32; // of its number, in the id of a process

class Recorder {
public:
    explicit Recorder(std::uint64_t process) : home_(unsigned(process >> home_shift & 0xff)) {}

    void hear(const TraceEvent& event) {
        switch (event.kind) {
        case Kind::fault:
            return begin(event);
        case Kind::fault_end:
            return end(event);
        case Kind::send:
            return sent(event);
        case Kind::receive:
            return received(event);
        }
    }

    Recording finish() {
        Recording recording;
        Result& measured = result_;

        for (const Wish& wish : wishes_) {
            if (wish.request.kind != Request::Kind::fault) {
                if (!wish.refused)
                    recording.requests.push_back(wish.request);
            } else if (wish.refused) {
                recording.refused++;
            } else if (wish.ended) {
                recording.requests.push_back(wish.request);
                measured.faults[std::size_t(wish.row)].latencies.push_back(wish.request.waited);
                measured.accesses++;
            }
        }
        std::ranges::sort(recording.requests);
        measured.nodes = std::max(2u, measured.nodes);
        measured.load.resize(measured.nodes);
        measured.makespan = last_ - first_;
        recording.measured = std::move(measured);
        return recording;
    }

private:
    // A request, and what has become of it.
    struct Wish {
        Request request;
        bool ended = false, refused = false;
        Row row = Row::local;
    };
    using Place = std::pair<unsigned, std::uint64_t>; // node and page

    std::size_t wish(const TraceEvent& event, Request::Kind kind, bool write) {
        result_.nodes = std::max(result_.nodes, event.node + 1);
        if (wishes_.empty())
            first_ = event.time;
        wishes_.push_back({{event.time, event.node, event.pid, event.page, kind, write}});
        return wishes_.size() - 1;
    }

    void begin(const TraceEvent& event) {
        const std::size_t number = wish(event, Request::Kind::fault, event.access == COH_WRITE);
        faulting_[{event.node, event.pid}] = number;
        waiting_[{event.node, event.page}].insert(number);
    }

    void end(const TraceEvent& event) {
        const auto fault = faulting_.find({event.node, event.pid});
        if (fault == faulting_.end())
            return; // begun before the events were on
        Wish& wish = wishes_[fault->second];
        wish.ended = true;
        wish.refused = !event.mapped;
        wish.request.waited = event.time - wish.request.time;
        waiting_[{event.node, event.page}].erase(fault->second);
        faulting_.erase(fault);
        last_ = std::max(last_, event.time);
    }

    void sent(const TraceEvent& event) {
        const coh_msg& m = event.message;
        const Place there(m.to, event.page);

        result_.messages++;
        result_.types[m.type]++;
        result_.bytes += message_bytes(event.data);
        result_.pages += event.data;
        if (m.type == COH_GET)
            return asked(event);
        if (m.type == COH_GRANT && m.flags & COH_ERROR)
            refuse(there);
        else if (m.type == COH_GRANT && m.flags & COH_DATA && !event.data)
            each(there, [](Wish& wish) { wish.request.zero = true; });
        if (event.node == home_ && m.epoch && transactions_.sent(event) && m.requester == home_)
            wanted_by_home(event);
    }

    // A thread asks home: because it faults, or ahead of that.
    void asked(const TraceEvent& event) {
        const Place here(event.node, event.page);
        writes_[here] = event.access == COH_WRITE;
        if (waiting_[here].empty())
            ahead_[here] = wish(event, Request::Kind::ahead, event.access == COH_WRITE);
    }

    // Home begins to fetch something for itself.
    void wanted_by_home(const TraceEvent& event) {
        const bool write = event.message.type == COH_INV || event.access == COH_WRITE;
        const Place here(home_, event.page);
        if (!waiting_[here].empty())
            each(here, [](Wish& w) { w.row = w.request.write ? Row::home_write : Row::home_read; });
        else if (event.message.type == COH_INV)
            wish(event, Request::Kind::discard, false);
        else
            wish(event, Request::Kind::ahead, write);
    }

    void received(const TraceEvent& event) {
        const coh_msg& m = event.message;
        const Place here(event.node, event.page);
        if (m.type != COH_GRANT && m.type != COH_ACK)
            return;
        if (event.node == home_) {
            each(here, [](Wish& w) { w.row = w.request.write ? Row::home_write : Row::home_read; });
        } else if (m.type == COH_GRANT && !(m.flags & COH_ERROR)) {
            const Row row = transactions_.row(m.epoch, writes_[here]);
            each(here, [row](Wish& w) { w.row = row; });
            ahead_.erase(here);
        }
    }

    // Those who wait at @place, and what was asked for ahead.
    template <class F>
    void each(const Place& place, F&& f) {
        for (const std::size_t number : waiting_[place])
            f(wishes_[number]);
        if (const auto ahead = ahead_.find(place); ahead != ahead_.end())
            f(wishes_[ahead->second]);
    }

    void refuse(const Place& place) {
        if (const auto ahead = ahead_.find(place); ahead != ahead_.end())
            wishes_[ahead->second].refused = true;
    }

    const unsigned home_;
    std::vector<Wish> wishes_;
    std::map<std::pair<unsigned, unsigned>, std::size_t> faulting_; // by node and pid
    std::map<Place, std::set<std::size_t>> waiting_;                // faults
    std::map<Place, std::size_t> ahead_;                            // the last one that is not granted
    std::map<Place, bool> writes_;                                  // what the last GET wanted
    Transactions transactions_;
    Result result_;
    Nanoseconds first_ = 0, last_ = 0;
};

} // namespace

void only_process(NodeEvents& nodes, std::uint64_t process) {
    for (std::vector<TraceEvent>& events : nodes)
        std::erase_if(events, [process](const TraceEvent& e) { return e.process != process; });
}

Recording make_recording(const NodeEvents& nodes) {
    std::vector<TraceEvent> all;
    std::set<std::uint64_t> processes;

    for (const std::vector<TraceEvent>& events : nodes)
        all.insert(all.end(), events.begin(), events.end());
    for (const TraceEvent& e : all)
        processes.insert(e.process);
    if (processes.size() != 1)
        throw Error("the events are about {} shared processes: {}", processes.size(),
                    processes.empty()
                        ? "were procshare_fault, procshare_fault_end and procshare_coherence_* on?"
                        : "name one with --process");
    std::ranges::stable_sort(all, {}, &TraceEvent::time);
    Recorder recorder(*processes.begin());
    for (const TraceEvent& e : all)
        recorder.hear(e);
    return recorder.finish();
}

} // namespace procshare::simulator
