// SPDX-License-Identifier: GPL-2.0-only
#include "explore.h"

#include <algorithm>
#include <vector>

#include "liveness.h"
#include "visited.h"

namespace procshare::checker {
namespace {

class Explorer {
public:
    Explorer(const Config& config, const Limits& limits) : config_(config), limits_(limits) {}

    Result run() {
        add(initial(config_), 0, {});
        uint32_t id = 0;
        while (next_.size() && go_on()) {
            Frontier level = std::move(next_);
            next_ = {};
            level.each([&](std::span<const uint8_t> bytes) {
                expand(decode(bytes, config_), id++);
                return go_on();
            });
            result_.depth++;
        }
        result_.states = visited_.size();
        result_.complete = !next_.size() && result_.violation.empty();
        if (limits_.liveness && result_.complete)
            look_for_starvation();
        return std::move(result_);
    }

private:
    bool go_on() const { return result_.violation.empty() && visited_.size() < limits_.states; }

    uint32_t add(const World& world, uint32_t parent, const Event& event) {
        encode(world, config_, encoding_);
        auto [id, fresh] = visited_.insert(hash(encoding_));
        if (!fresh)
            return id;
        next_.push(encoding_);
        parents_.push_back({parent, event});
        if (limits_.liveness)
            graph_.add_state(waiting(world, config_));
        if (auto bad = violation(world, config_); !bad.empty())
            report(bad, id, {});
        return id;
    }

    void expand(const World& world, uint32_t id) {
        bool moves = false;
        if (limits_.liveness)
            graph_.begin(id);
        for (const Event& event : candidates(world, config_)) {
            World after = world;
            std::string_view bad;
            if (!apply(after, config_, event, bad))
                continue;
            result_.transitions++;
            moves = moves || fair(event.kind);
            if (!bad.empty())
                return report(bad, id, &event);
            uint32_t to = add(after, id, event);
            if (limits_.liveness)
                graph_.add_edge(to, label(event));
            if (!result_.violation.empty())
                return;
        }
        if (!moves && !quiet(world, config_))
            report("stuck", id, {});
    }

    void look_for_starvation() {
        for (unsigned bit = 0; bit < kRequests; bit++) {
            auto state = graph_.starvation(bit);
            if (!state)
                continue;
            report(std::string("starvation of ") + name_request(bit), *state, {});
            return;
        }
    }

    void report(std::string_view what, uint32_t id, const Event* last) {
        if (!result_.violation.empty())
            return;
        result_.violation = what;
        result_.trace = trace(id, last);
    }

    std::string trace(uint32_t id, const Event* last) const {
        std::vector<Event> events;
        for (; id; id = parents_[id].id)
            events.push_back(parents_[id].event);
        std::reverse(events.begin(), events.end());
        if (last)
            events.push_back(*last);
        World world = initial(config_);
        Encoding canonical;
        std::string text = describe(world, config_);
        for (const Event& event : events) {
            std::string_view bad;
            encode(world, config_, canonical);
            world = decode(canonical, config_);
            text += describe(event) + "\n";
            apply(world, config_, event, bad);
            text += describe(world, config_);
        }
        return text;
    }

    struct Parent {
        uint32_t id;
        Event event;
    };

    const Config config_;
    const Limits limits_;
    Visited visited_;
    Frontier next_;
    std::vector<Parent> parents_;
    Graph graph_;
    Encoding encoding_;
    Result result_;
};

} // namespace

Result explore(const Config& config, const Limits& limits) {
    return Explorer(config, limits).run();
}

} // namespace procshare::checker
