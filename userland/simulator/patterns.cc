// SPDX-License-Identifier: GPL-2.0-only
// procshare - patterns: synthetic ways of sharing memory
#include <algorithm>
#include <functional>
#include <random>

#include "error.hpp"
#include "workload.hpp"

namespace procshare::simulator {
namespace {

using Kind = Access::Kind;

// Where a thread is in its pattern.
struct Position {
    unsigned thread;
    unsigned node;
    std::uint64_t step = 0; // accesses so far
    std::mt19937_64 random;
};

// What a pattern makes of a position; @share: of writes.
using Rule = std::function<Access(Position& at, const PatternOptions& options, double share)>;

struct Pattern {
    PatternName name;
    double writes;   // the usual share
    bool per_thread; // pages are counted per thread
    Rule rule;
};

// Pages that all nodes share are shared by at most so many: larger clusters fall into groups.
constexpr unsigned group_size = max_sharers - 1;

unsigned group_of(const PatternOptions& options, unsigned node) {
    return options.nodes <= max_sharers ? 0 : node / group_size;
}

Kind coin(Position& at, double share) {
    return std::uniform_real_distribution<>(0, 1)(at.random) < share ? Kind::write : Kind::read;
}

PageId own(const Position& at, const PatternOptions& options, std::uint64_t page) {
    return PageId(at.thread * options.pages + page % options.pages);
}

PageId shared(const Position& at, const PatternOptions& options, std::uint64_t page) {
    return PageId(group_of(options, at.node) * options.pages + page % options.pages);
}

Access private_pages(Position& at, const PatternOptions& o, double share) {
    return {coin(at, share), own(at, o, at.random())};
}

Access random_pages(Position& at, const PatternOptions& o, double share) {
    return {coin(at, share), shared(at, o, at.random())};
}

// Each object is read, changed, and left to the next who comes.
Access migratory(Position& at, const PatternOptions& o, double) {
    static constexpr unsigned touches = 4;
    std::mt19937_64 object(o.seed + (at.step / touches) * 7919 + at.thread * 104729);
    return {at.step % touches < 1 ? Kind::read : Kind::write, shared(at, o, object())};
}

// All write the same few pages, each its own word of them.
Access hot_page(Position& at, const PatternOptions& o, double share) {
    const PageId page = PageId(group_of(o, at.node));
    return {coin(at, share), page};
}

// Every thread goes through a part of its own, again and again.
Access sweep(Position& at, const PatternOptions& o, double share) {
    return {coin(at, share), own(at, o, at.step)};
}

// Rounds: each thread fills its buffer, then reads the one of its neighbour.
Access producer_consumer(Position& at, const PatternOptions& o, double) {
    const std::uint64_t round = 2 * std::uint64_t(o.pages) + 2;
    const std::uint64_t place = at.step % round;
    if (place == o.pages || place == round - 1)
        return {Kind::barrier};
    if (place < o.pages)
        return {Kind::write, own(at, o, place)};
    const unsigned neighbour = (at.thread + 1) % (o.nodes * o.threads);
    return {Kind::read, PageId(neighbour * o.pages + place - o.pages - 1)};
}

// Rounds: each thread reads the edges of its two neighbours, then writes its own pages.
Access stencil(Position& at, const PatternOptions& o, double) {
    const unsigned threads = o.nodes * o.threads;
    const std::uint64_t round = std::uint64_t(o.pages) + 4;
    const std::uint64_t place = at.step % round;
    if (place == 2 || place == round - 1)
        return {Kind::barrier};
    if (place == 0)
        return {Kind::read, PageId(((at.thread + threads - 1) % threads) * o.pages + o.pages - 1)};
    if (place == 1)
        return {Kind::read, PageId(((at.thread + 1) % threads) * o.pages)};
    return {Kind::write, own(at, o, place - 3)};
}

const std::vector<Pattern>& patterns() {
    static const std::vector<Pattern> all{
        {{"private", "pages of its own for each thread, at random"}, 0.5, true, private_pages},
        {{"read-mostly", "pages shared by all, at random, few writes"}, 0.01, false, random_pages},
        {{"random", "pages shared by all, at random"}, 0.3, false, random_pages},
        {{"migratory", "objects read and then written by one thread after another"}, 0.75, false, migratory},
        {{"producer-consumer", "each thread reads what its neighbour has written"},
         0.5,
         true,
         producer_consumer},
        {{"hot-page", "all threads write one page (false sharing)"}, 1, false, hot_page},
        {{"sweep", "each thread goes through pages of its own in order"}, 0.5, true, sweep},
        {{"stencil", "pages of its own, and the edges of two neighbours"}, 0.5, true, stencil},
    };
    return all;
}

class PatternWorkload : public Workload {
public:
    PatternWorkload(const Pattern& pattern, const PatternOptions& options)
        : pattern_(pattern), options_(options), share_(options.writes.value_or(pattern.writes)) {
        const unsigned count = options.nodes * options.threads;
        for (unsigned t = 0; t < count; t++) {
            const unsigned node = t / options.threads;
            threads_.push_back(NodeId(node));
            at_.push_back({t, node, 0, std::mt19937_64(options.seed * 1'000'003 + t)});
        }
        nodes_ = options.nodes;
        pages_ = options.pages * (pattern.per_thread ? count : group_of(options, options.nodes - 1) + 1);
    }

    std::optional<Access> next(unsigned thread) override {
        Position& at = at_[thread];
        if (at.step >= options_.operations)
            return {};
        Access access = pattern_.rule(at, options_, share_);
        at.step++;
        if (access.kind != Kind::barrier && options_.think > 0)
            access.think =
                Nanoseconds(std::exponential_distribution<>(1.0 / double(options_.think))(at.random));
        return access;
    }

private:
    const Pattern& pattern_;
    const PatternOptions options_;
    const double share_;
    std::vector<Position> at_;
};

} // namespace

const std::vector<PatternName>& pattern_names() {
    static const std::vector<PatternName> names = [] {
        std::vector<PatternName> list;
        for (const Pattern& pattern : patterns())
            list.push_back(pattern.name);
        return list;
    }();
    return names;
}

std::unique_ptr<Workload> make_pattern(const PatternOptions& options) {
    const auto pattern =
        std::ranges::find_if(patterns(), [&](const Pattern& p) { return options.name == p.name.name; });
    if (pattern == patterns().end())
        throw Error("there is no pattern '{}': see 'procshare-sim run --help'", options.name);
    return std::make_unique<PatternWorkload>(*pattern, options);
}

} // namespace procshare::simulator
