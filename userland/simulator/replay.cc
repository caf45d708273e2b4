// SPDX-License-Identifier: GPL-2.0-only
#include "replay.hpp"

#include <algorithm>
#include <map>

#include "error.hpp"

namespace procshare::simulator {
namespace {

Access::Kind kind_of(const Request& request) {
    if (request.kind == Request::Kind::discard)
        return Access::Kind::discard;
    if (request.kind == Request::Kind::ahead)
        return Access::Kind::ahead;
    return request.write ? Access::Kind::write : Access::Kind::read;
}

class Replay : public Workload {
public:
    explicit Replay(std::vector<Request> requests) {
        std::ranges::sort(requests);
        for (const Request& request : requests)
            add(request, requests.front().time);
        nodes_ = std::max(nodes_, 2u);
        pages_ = PageId(orders_.size());
        next_.resize(threads_.size());
    }

    std::optional<Access> next(unsigned thread) override {
        if (next_[thread] == steps_[thread].size())
            return {};
        return steps_[thread][next_[thread]].access;
    }

    bool begin(unsigned thread, bool mapped) override {
        const Step& step = steps_[thread][next_[thread]];
        if (!in_turn(step, mapped))
            return false;
        for (const Turn& turn : step.ahead)
            done(turn);
        return true;
    }

    void end(unsigned thread) override { done(steps_[thread][next_[thread]++].turn); }

private:
    struct Turn {
        PageId page;
        std::size_t number; // in the page's order
    };
    struct Step {
        Access access;
        Turn turn;
        std::vector<Turn> ahead; // those of access.ahead
    };
    // A request for a page.
    struct Entry {
        Nanoseconds begin, end;
        unsigned node;
        bool write;
        bool done = false;
    };
    struct Order {
        std::vector<Entry> entries; // as they began
        std::size_t first = 0;      // that is not done
    };

    void add(const Request& request, Nanoseconds start) {
        const auto [thread, fresh] =
            numbers_.try_emplace({request.node, request.thread}, unsigned(steps_.size()));
        if (fresh) {
            threads_.push_back(NodeId(request.node));
            steps_.emplace_back();
            ready_.push_back(start);
        }
        nodes_ = std::max(nodes_, request.node + 1);
        const Turn turn = take_turn(request);
        std::vector<Step>& steps = steps_[thread->second];
        Nanoseconds& ready = ready_[thread->second];
        if (request.kind == Request::Kind::ahead && request.time < ready && !steps.empty()) {
            steps.back().access.ahead.push_back({turn.page, request.write, request.zero});
            steps.back().ahead.push_back(turn);
            return;
        }
        const Nanoseconds think = std::max<Nanoseconds>(0, request.time - ready);
        steps.push_back({{kind_of(request), turn.page, think, request.zero, {}}, turn, {}});
        if (request.kind == Request::Kind::ahead)
            steps.back().access.ahead.push_back({turn.page, request.write, request.zero});
        ready = request.time + request.waited;
    }

    Turn take_turn(const Request& r) {
        const PageId page = small_.try_emplace(r.page, PageId(small_.size())).first->second;
        orders_.resize(std::max<std::size_t>(orders_.size(), page + 1));
        orders_[page].entries.push_back({r.time, r.time + r.waited, r.node, r.is_write()});
        return {page, orders_[page].entries.size() - 1};
    }

    // Are those over that were over in the run before this one began?  And those that had begun, if none of
    // them has taken the page away yet?
    bool in_turn(const Step& step, bool mapped) const {
        const Order& order = orders_[step.turn.page];
        const Entry& mine = order.entries[step.turn.number];
        const bool all = mapped || step.access.kind == Access::Kind::discard;

        for (std::size_t i = order.first; i < step.turn.number; i++) {
            const Entry& other = order.entries[i];
            if (!other.done && other.node != mine.node && (other.write || mine.write) &&
                (all || other.end <= mine.begin))
                return false;
        }
        return true;
    }

    void done(const Turn& turn) {
        Order& order = orders_[turn.page];
        order.entries[turn.number].done = true;
        while (order.first < order.entries.size() && order.entries[order.first].done)
            order.first++;
    }

    std::map<std::pair<unsigned, unsigned>, unsigned> numbers_; // of threads
    std::map<std::uint64_t, PageId> small_;                     // numbers of pages
    std::vector<std::vector<Step>> steps_;                      // by thread
    std::vector<std::size_t> next_;
    std::vector<Nanoseconds> ready_; // when the last step was over
    std::vector<Order> orders_;      // by page
};

} // namespace

std::unique_ptr<Workload> make_replay(std::vector<Request> requests) {
    if (requests.empty())
        throw Error(
            "the trace holds no faults: were the events procshare_fault and procshare_coherence_* on?");
    return std::make_unique<Replay>(std::move(requests));
}

} // namespace procshare::simulator
