// SPDX-License-Identifier: GPL-2.0-only
#include "search.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "visited.h"

namespace procshare::checker {
namespace {

// Which states lead to which, to look from the ends backwards.
class Ways {
public:
    void begin() { first_.push_back(to_.size()); }
    void add(uint32_t to) { to_.push_back(to); }
    void end(uint32_t state) { ends_.push_back(state); }

    // A state from which no end can be reached.
    std::optional<uint32_t> hopeless() const {
        const size_t states = first_.size();
        std::vector<size_t> start(states + 1);
        for (uint32_t to : to_)
            start[to + 1]++;
        std::partial_sum(start.begin(), start.end(), start.begin());
        std::vector<uint32_t> from(to_.size());
        std::vector<size_t> free(start.begin(), start.end() - 1);
        for (size_t s = 0, i = 0; s < states; s++)
            for (size_t last = s + 1 < states ? first_[s + 1] : to_.size(); i < last; i++)
                from[free[to_[i]]++] = uint32_t(s);
        return unreached(start, from);
    }

private:
    // The states before s are from[start[s]] to from[start[s + 1]].
    std::optional<uint32_t> unreached(const std::vector<size_t>& start,
                                      const std::vector<uint32_t>& from) const {
        std::vector<bool> reached(first_.size());
        std::vector<uint32_t> todo = ends_;
        for (uint32_t s : ends_)
            reached[s] = true;
        while (!todo.empty()) {
            uint32_t s = todo.back();
            todo.pop_back();
            for (size_t i = start[s]; i < start[s + 1]; i++) {
                if (reached[from[i]])
                    continue;
                reached[from[i]] = true;
                todo.push_back(from[i]);
            }
        }
        auto i = std::find(reached.begin(), reached.end(), false);
        if (i == reached.end())
            return {};
        return uint32_t(i - reached.begin());
    }

    std::vector<size_t> first_;
    std::vector<uint32_t> to_;
    std::vector<uint32_t> ends_;
};

class Search {
public:
    Search(const ThreadModel& model, const SearchLimits& limits) : model_(model), limits_(limits) {}

    SearchResult run() {
        model_.encode(model_.initial(), encoding_);
        add(model_.initial(), 0, {});
        uint32_t id = 0;
        while (next_.size() && go_on()) {
            Frontier level = std::move(next_);
            next_ = {};
            level.each([&](std::span<const uint8_t> bytes) {
                expand(model_.decode(bytes), id++);
                return go_on();
            });
            result_.depth++;
        }
        result_.states = visited_.size();
        result_.complete = !next_.size() && result_.violation.empty();
        if (limits_.ends && result_.complete)
            if (auto state = ways_.hopeless())
                report("an operation never ends", *state, nullptr);
        return std::move(result_);
    }

private:
    struct Parent {
        uint32_t id;
        Step step;
    };

    bool go_on() const { return result_.violation.empty() && visited_.size() < limits_.states; }

    // @after came out of @m, whose pages are in pages_, by @step.
    void encode(const Machine& m, const Machine& after, const Step& step) {
        unsigned changed = model_.changed(m, step);
        for (unsigned i = 0; i < kMaxPages; i++)
            after_[i] = pages_[i];
        model_.encode(after, after_, changed, encoding_);
    }

    // @m, which encoding_ holds, unless it is known.
    uint32_t add(const Machine& m, uint32_t parent, const Step& step) {
        auto [id, fresh] = visited_.insert(hash(encoding_));
        if (!fresh)
            return id;
        next_.push(encoding_);
        parents_.push_back({parent, step});
        if (auto bad = model_.violation(m); !bad.empty())
            report(bad, id, nullptr);
        return id;
    }

    void expand(const Machine& m, uint32_t id) {
        bool moves = false;
        model_.encode(m, pages_, ~0u, encoding_);
        if (limits_.ends)
            ways_.begin();
        for (const Step& step : model_.candidates(m)) {
            Machine after = m;
            std::string_view bad;
            if (!model_.apply(after, step, bad))
                continue;
            result_.transitions++;
            moves = moves || step.kind != Step::Kind::kLose;
            if (!bad.empty())
                return report(bad, id, &step);
            encode(m, after, step);
            uint32_t to = add(after, id, step);
            if (limits_.ends)
                ways_.add(to);
            if (!result_.violation.empty())
                return;
        }
        if (model_.finished(m))
            end(m, id);
        else if (!moves)
            report("stuck", id, nullptr);
    }

    void end(const Machine& m, uint32_t id) {
        result_.ends++;
        if (limits_.ends)
            ways_.end(id);
        const auto& program = model_.config().program;
        if (!model_.config().records() || !result_.histories.insert(m.history).second)
            return;
        if (!consistent(*program, m.history)) {
            report("no total order explains what the threads have seen", id, nullptr);
            result_.trace += checker::describe(*program, m.history);
        }
    }

    void report(std::string_view what, uint32_t id, const Step* last) {
        if (!result_.violation.empty())
            return;
        result_.violation = what;
        result_.trace = trace(id, last);
    }

    std::string trace(uint32_t id, const Step* last) const {
        std::vector<Step> steps;
        for (; id; id = parents_[id].id)
            steps.push_back(parents_[id].step);
        std::reverse(steps.begin(), steps.end());
        if (last)
            steps.push_back(*last);
        Machine m = model_.initial();
        Encoding canonical;
        std::string text = model_.describe(m);
        for (const Step& step : steps) {
            std::string_view bad;
            model_.encode(m, canonical);
            m = model_.decode(canonical);
            text += model_.describe(step) + "\n";
            model_.apply(m, step, bad);
            text += model_.describe(m);
        }
        return text;
    }

    const ThreadModel& model_;
    const SearchLimits limits_;
    Visited visited_;
    Frontier next_;
    std::vector<Parent> parents_;
    Ways ways_;
    Encoding encoding_;
    ThreadModel::Encoded pages_; // of the state being expanded
    ThreadModel::Encoded after_; // of a state that follows
    SearchResult result_;
};

} // namespace

SearchResult search(const ThreadModel& model, const SearchLimits& limits) {
    return Search(model, limits).run();
}

} // namespace procshare::checker
