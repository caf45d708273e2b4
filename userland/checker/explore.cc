// SPDX-License-Identifier: GPL-2.0-only
#include "explore.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "liveness.h"

namespace procshare::checker {
namespace {

struct Hash {
    uint64_t a, b;
    bool operator==(const Hash&) const = default;
};

uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    return x ^ x >> 32;
}

// 128 bits: the chance of one collision among 1e8 states is below 1e-22.
Hash hash(const Encoding& bytes) {
    Hash h{0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f ^ bytes.size()};
    for (size_t i = 0; i < bytes.size(); i += 8) {
        uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, std::min<size_t>(8, bytes.size() - i));
        h.a = mix(h.a ^ word);
        h.b = mix(h.b + word) * 0x9fb21c651e98df25;
    }
    return h;
}

// The visited states, by hash; ids are given in the order of discovery.
class Visited {
public:
    Visited() : slots_(1 << 16, kFree) {}

    // The id of @h, and whether it is new.
    std::pair<uint32_t, bool> insert(const Hash& h) {
        if ((hashes_.size() + 1) * 3 > slots_.size() * 2)
            grow();
        size_t slot = find(h);
        if (slots_[slot] != kFree)
            return {slots_[slot], false};
        slots_[slot] = uint32_t(hashes_.size());
        hashes_.push_back(h);
        return {slots_[slot], true};
    }

    size_t size() const { return hashes_.size(); }

private:
    static constexpr uint32_t kFree = UINT32_MAX;

    size_t find(const Hash& h) const {
        size_t slot = h.a & (slots_.size() - 1);
        while (slots_[slot] != kFree && hashes_[slots_[slot]] != h)
            slot = (slot + 1) & (slots_.size() - 1);
        return slot;
    }

    void grow() {
        slots_.assign(slots_.size() * 2, kFree);
        for (uint32_t id = 0; id < hashes_.size(); id++)
            slots_[find(hashes_[id])] = id;
    }

    std::vector<uint32_t> slots_;
    std::vector<Hash> hashes_;
};

// States that have been found and not yet expanded, in order of their ids.
class Frontier {
public:
    void push(const Encoding& e) {
        sizes_.push_back(uint16_t(e.size()));
        bytes_.insert(bytes_.end(), e.begin(), e.end());
    }
    size_t size() const { return sizes_.size(); }
    template <class F>
    void each(F&& f) const {
        size_t at = 0;
        for (uint16_t size : sizes_) {
            if (!f(std::span(bytes_).subspan(at, size)))
                return;
            at += size;
        }
    }

private:
    std::vector<uint16_t> sizes_;
    std::vector<uint8_t> bytes_;
};

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
