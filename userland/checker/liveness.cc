// SPDX-License-Identifier: GPL-2.0-only
#include "liveness.h"

#include <algorithm>

namespace procshare::checker {

uint8_t label(const Event& e) {
    switch (e.kind) {
    case Kind::kDeliver:
        return uint8_t(e.a * 4 + e.b);
    case Kind::kServeCopy:
        return 16;
    case Kind::kHomeInstall:
        return 17;
    case Kind::kInstall:
        return uint8_t(18 + e.a);
    case Kind::kRelease:
        return uint8_t(22 + e.a);
    case Kind::kZap:
        return 26;
    case Kind::kRecalled:
        return 27;
    case Kind::kHomeTimeout:
    case Kind::kRefuse:
    case Kind::kDiscard:
    case Kind::kRecall:
    case Kind::kLose:
        return kExcluded;
    default:
        return kAtWill;
    }
}

uint8_t waiting(const World& w, const Config& config) {
    unsigned set = 0;
    for (unsigned i = 0; i < config.remotes; i++)
        if (w.remote[i].node.pending && !(w.lost >> (i + 1) & 1))
            set |= 1u << i;
    if (w.home.home_want & COH_WANT_READ)
        set |= 1u << 3;
    if (w.home.home_want & COH_WANT_WRITE)
        set |= 1u << 4;
    if (w.home.home_first)
        set |= 1u << 5;
    if (w.home.b_lost)
        set |= 1u << 6;
    return uint8_t(set);
}

const char* name_request(unsigned bit) {
    constexpr const char* kNames[] = {"node 1's fault",        "node 2's fault",     "node 3's fault",
                                      "home's read fault",     "home's write fault", "home's notifier",
                                      "the flush after a loss"};
    return kNames[bit];
}

void Graph::add_state(uint8_t waiting) {
    waiting_.push_back(waiting);
}

void Graph::begin(uint32_t) {
    first_.push_back(uint32_t(edges_.size()));
}

void Graph::add_edge(uint32_t to, uint8_t label) {
    edges_.push_back({to, label});
}

// Tarjan's strongly connected components without recursion.
class Graph::Search {
public:
    Search(const Graph& graph, unsigned bit)
        : g_(graph), bit_(bit), index_(graph.waiting_.size(), 0), low_(graph.waiting_.size(), 0) {}

    std::optional<uint32_t> run() {
        for (uint32_t s = 0; s < g_.waiting_.size() && !found_; s++)
            if (inside(s) && !index_[s])
                component(s);
        return found_;
    }

private:
    static constexpr uint32_t kClosed = UINT32_MAX;

    bool inside(uint32_t s) const { return g_.waiting_[s] >> bit_ & 1; }
    uint32_t end(uint32_t s) const {
        return s + 1 < g_.first_.size() ? g_.first_[s + 1] : uint32_t(g_.edges_.size());
    }

    void open(uint32_t s) {
        index_[s] = low_[s] = ++next_;
        stack_.push_back(s);
        path_.push_back({s, g_.first_[s]});
    }

    void component(uint32_t root) {
        open(root);
        while (!path_.empty() && !found_) {
            auto& [s, edge] = path_.back();
            if (edge == end(s)) {
                leave(s);
                continue;
            }
            const Edge& e = g_.edges_[edge++];
            if (e.label == kExcluded || !inside(e.to))
                continue;
            if (!index_[e.to])
                open(e.to);
            else if (index_[e.to] != kClosed)
                low_[s] = std::min(low_[s], index_[e.to]);
        }
    }

    void leave(uint32_t s) {
        path_.pop_back();
        if (!path_.empty()) {
            uint32_t parent = path_.back().first;
            low_[parent] = std::min(low_[parent], low_[s]);
        }
        if (low_[s] != index_[s])
            return;
        auto from = std::find(stack_.rbegin(), stack_.rend(), s).base() - 1;
        judge({from, stack_.end()});
        for (auto i = from; i != stack_.end(); ++i)
            index_[*i] = kClosed;
        stack_.erase(from, stack_.end());
    }

    void judge(const std::vector<uint32_t>& members) {
        uint32_t always = UINT32_MAX, taken = 0;
        bool cycle = false;
        for (uint32_t s : members) {
            uint32_t enabled = 0;
            for (uint32_t i = g_.first_[s]; i < end(s); i++) {
                const Edge& e = g_.edges_[i];
                enabled |= 1u << e.label;
                if (e.label == kExcluded || !member(e.to, members))
                    continue;
                cycle = true;
                taken |= 1u << e.label;
            }
            always &= enabled;
        }
        constexpr uint32_t kFair = (1u << kAtWill) - 1;
        if (cycle && !(always & ~taken & kFair))
            found_ = members.front();
    }

    // Members are still open, and no state outside them that they lead to is.
    bool member(uint32_t s, const std::vector<uint32_t>& members) const {
        return inside(s) && index_[s] && index_[s] != kClosed && index_[s] >= index_[members.front()];
    }

    const Graph& g_;
    unsigned bit_;
    std::vector<uint32_t> index_, low_;
    std::vector<uint32_t> stack_;
    std::vector<std::pair<uint32_t, uint32_t>> path_;
    uint32_t next_ = 0;
    std::optional<uint32_t> found_;
};

std::optional<uint32_t> Graph::starvation(unsigned bit) const {
    return Search(*this, bit).run();
}

} // namespace procshare::checker
