// SPDX-License-Identifier: GPL-2.0-only
#include "threads.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>

namespace procshare::checker {
namespace {

bool has(unsigned set, unsigned node) {
    return set >> node & 1;
}

coh_access wanted(Op op) {
    return op == Op::kWrite ? COH_WRITE : COH_READ;
}

bool pending(const World& w, unsigned node) {
    return node != kHome && w.remote[node - 1].node.pending;
}

// A page event that the thread model lets happen by itself.
bool spontaneous(Kind kind, bool puts) {
    switch (kind) {
    case Kind::kDeliver:
    case Kind::kServeCopy:
    case Kind::kHomeInstall:
    case Kind::kRelease:
        return true;
    case Kind::kPut:
        return puts;
    default:
        return false;
    }
}

} // namespace

Config ThreadConfig::page() const {
    Config c;
    c.remotes = remotes;
    c.losses = losses;
    c.puts = puts;
    c.eager = eager ? Eager::kAlways : Eager::kNever;
    c.refusals = c.timeouts = c.slow_install = c.abandon = false;
    c.values = records();
    c.recall_alone = true;
    c.discards = c.recalls = kMaxThreads;
    return c;
}

namespace {

// By node, and those that do the same side by side.
ThreadConfig in_order(ThreadConfig config) {
    if (config.alike())
        std::ranges::stable_sort(config.program->threads, [](const Script& a, const Script& b) {
            return std::tie(a.node, a.operations) < std::tie(b.node, b.operations);
        });
    return config;
}

} // namespace

ThreadModel::ThreadModel(const ThreadConfig& config) : config_(in_order(config)), page_(config.page()) {
    threads_ = config.program ? unsigned(config.program->threads.size())
                              : (config.remotes + 1) * config.threads + (config.changes ? 1 : 0);
    for (unsigned t = 0; config.program && t < threads_; t++) {
        const auto& all = config_.program->threads;
        auto less = [&](const Script& s) { return s.operations < all[t].operations; };
        likeness_[t] = uint8_t(std::ranges::count_if(all, less));
    }
    Names to;
    std::iota(to.begin(), to.end(), uint8_t(0));
    do
        if (!config.program || same_threads(to))
            renamings_.push_back(to);
    while (config.symmetry && !config.records() &&
           std::next_permutation(to.begin() + 1, to.begin() + 1 + config.remotes));
}

// Does each node do what the node does that gets its name?
bool ThreadModel::same_threads(const Names& to) const {
    auto of = [&](unsigned node) {
        std::vector<uint8_t> list;
        for (unsigned t = 0; t < threads(); t++)
            if (config_.program->threads[t].node == node)
                list.push_back(likeness_[t]);
        return list;
    };
    for (unsigned node = 0; node <= config_.remotes; node++)
        if (of(node) != of(to[node]))
            return false;
    return true;
}

Machine ThreadModel::initial() const {
    Machine m;
    std::memset(static_cast<void*>(&m), 0, sizeof(m));
    for (World& w : m.page)
        w = checker::initial(page_);
    for (unsigned t = 0; t < threads(); t++) {
        if (config_.program)
            m.thread[t].node = config_.program->threads[t].node;
        else
            m.thread[t].node = is_changer(t) ? uint8_t(kHome) : uint8_t(t / config_.threads);
    }
    return m;
}

// ---- who may do what ----

bool ThreadModel::alive(const Machine& m, unsigned node) const {
    return !has(m.page[0].lost, node);
}

bool ThreadModel::gone(const Machine& m, const Thread& t) const {
    return t.doing == Doing::kFailed || !alive(m, t.node);
}

bool ThreadModel::is_changer(unsigned t) const {
    return !config_.program && config_.changes && t + 1 == threads();
}

unsigned ThreadModel::length(unsigned t) const {
    if (config_.program)
        return unsigned(config_.program->threads[t].operations.size());
    return is_changer(t) ? config_.changes : config_.operations;
}

bool ThreadModel::may_choose(unsigned t, Operation o) const {
    if (o.op == Op::kMove && config_.pages < 2)
        return false;
    return is_changer(t) == changes_mapping(o.op);
}

uint8_t ThreadModel::other_page(uint8_t page) const {
    return uint8_t((page + 1) % config_.pages);
}

// The minimum hold lasts until those that wait for the page have had it.
bool ThreadModel::may_release(const Machine& m, unsigned page, unsigned node) const {
    for (unsigned t = 0; t < threads(); t++) {
        const Thread& thread = m.thread[t];
        if (thread.node == node && thread.page == page && thread.doing == Doing::kWaiting &&
            mapped(m.page[page], node) >= wanted(thread.op))
            return false;
    }
    return true;
}

void ThreadModel::add_page_steps(const Machine& m, unsigned page, std::vector<Step>& steps) const {
    for (const Event& e : checker::candidates(m.page[page], page_)) {
        if (!spontaneous(e.kind, config_.puts))
            continue;
        if (e.kind == Kind::kRelease && !may_release(m, page, e.a))
            continue;
        steps.push_back({Step::Kind::kPage, uint8_t(page), {}, e});
    }
}

void ThreadModel::add_thread_steps(const Machine& m, unsigned t, std::vector<Step>& steps) const {
    const Thread& thread = m.thread[t];
    if (gone(m, thread))
        return;
    if (thread.doing == Doing::kWaiting) {
        steps.push_back({Step::Kind::kGoOn, uint8_t(t), {}, {}});
        return;
    }
    if (thread.done == length(t))
        return;
    if (config_.program) {
        steps.push_back(
            {Step::Kind::kStart, uint8_t(t), config_.program->threads[t].operations[thread.done], {}});
        return;
    }
    for (Op op : {Op::kRead, Op::kWrite, Op::kDiscard, Op::kProtect, Op::kFork, Op::kMove})
        for (uint8_t page = 0; page < config_.pages; page++)
            if (may_choose(t, {op, page}))
                steps.push_back({Step::Kind::kStart, uint8_t(t), {op, page}, {}});
}

std::vector<Step> ThreadModel::candidates(const Machine& m) const {
    std::vector<Step> steps;
    for (unsigned page = 0; page < config_.pages; page++)
        add_page_steps(m, page, steps);
    for (unsigned t = 0; t < threads(); t++) {
        // Threads of one node that are in the same state do the same.
        if (config_.symmetry && !config_.records() && t && m.thread[t] == m.thread[t - 1] &&
            group(t) == group(t - 1) && is_changer(t) == is_changer(t - 1))
            continue;
        add_thread_steps(m, t, steps);
    }
    for (unsigned node = 1; node <= config_.remotes; node++)
        if (m.page[0].losses_left && alive(m, node))
            steps.push_back({Step::Kind::kLose, uint8_t(node), {}, {}});
    return steps;
}

// ---- what threads do ----

void ThreadModel::finish(Machine& m, unsigned t) const {
    Thread& thread = m.thread[t];
    thread.done++;
    thread.doing = Doing::kNothing;
    thread.op = Op::kNone;
    thread.page = 0;
    if (config_.records())
        m.history.done[t] = thread.done;
}

// The page is mapped: the access itself.
void ThreadModel::look(Machine& m, unsigned t, std::string_view& bad) const {
    Thread& thread = m.thread[t];
    World& w = m.page[thread.page];
    Value value = held(w, thread.node);
    if (thread.op == Op::kWrite) {
        // A write changes a part of the page: the rest is what it was.
        if (value != Value::kLast && !config_.records())
            bad = "a thread writes to a page that does not hold the last write";
        write_at(w, page_, thread.node, write_id(t, thread.done));
    } else if (config_.records()) {
        m.history.seen[t][thread.done] =
            value == Value::kLast ? w.last : uint8_t(unsigned(value) - unsigned(Value::kFirstId));
    } else if (value != Value::kLast) {
        bad = "a thread reads something else than the last write";
    }
    finish(m, t);
}

// The thread's fault, once or again.
bool ThreadModel::ask(Machine& m, unsigned t, std::string_view& bad) const {
    const Thread& thread = m.thread[t];
    coh_access access = wanted(thread.op);
    Event fault = thread.node == kHome ? Event{Kind::kHomeFault, uint8_t(access)}
                                       : Event{Kind::kFault, thread.node, uint8_t(access)};
    return checker::apply(m.page[thread.page], page_, fault, bad);
}

bool ThreadModel::access(Machine& m, unsigned t, std::string_view& bad) const {
    Thread& thread = m.thread[t];
    World& w = m.page[thread.page];
    bool first = thread.doing == Doing::kNothing;
    bool asked = false;
    if (mapped(w, thread.node) < wanted(thread.op)) {
        if (!first && w.home.state == COH_HOME_LOST && !w.home.discards && !pending(w, thread.node)) {
            thread.doing = Doing::kFailed;
            return true;
        }
        asked = ask(m, t, bad);
    }
    if (mapped(w, thread.node) < wanted(thread.op)) {
        thread.doing = Doing::kWaiting;
        return first || asked;
    }
    look(m, t, bad);
    return true;
}

// A page under a move has come home, the page that it replaces is gone.
bool ThreadModel::move(Machine& m, unsigned t, std::string_view& bad) const {
    World& from = m.page[m.thread[t].page];
    World& to = m.page[other_page(m.thread[t].page)];
    bool lost = from.home.state == COH_HOME_LOST;
    if (coh_home_wanted(&from.home, COH_WANT_READ | COH_WANT_WRITE, true) ||
        !zap_at(to, page_, lost ? 0 : from.last, bad))
        return false;
    if (!lost && !clear_at(from, page_))
        bad = "a page moves away from home that home does not have alone";
    return checker::apply(from, page_, {Kind::kRecalled}, bad);
}

bool ThreadModel::change(Machine& m, unsigned t, std::string_view& bad) const {
    Thread& thread = m.thread[t];
    World& w = m.page[thread.page];
    if (thread.doing == Doing::kNothing) {
        coh_access access = thread.op == Op::kFork ? COH_READ : COH_WRITE;
        Event want = thread.op == Op::kDiscard ? Event{Kind::kDiscard} : Event{Kind::kRecall, access};
        checker::apply(w, page_, want, bad);
        if (thread.op == Op::kMove)
            checker::apply(m.page[other_page(thread.page)], page_, {Kind::kDiscard}, bad);
        thread.doing = Doing::kWaiting;
        return true;
    }
    bool done = thread.op == Op::kMove      ? move(m, t, bad)
                : thread.op == Op::kDiscard ? zap_at(w, page_, 0, bad)
                                            : checker::apply(w, page_, {Kind::kRecalled}, bad);
    if (done)
        finish(m, t);
    return done;
}

bool ThreadModel::go_on(Machine& m, unsigned t, std::string_view& bad) const {
    return changes_mapping(m.thread[t].op) ? change(m, t, bad) : access(m, t, bad);
}

bool ThreadModel::begin(Machine& m, unsigned t, Operation o, std::string_view& bad) const {
    m.thread[t].op = o.op;
    m.thread[t].page = o.page;
    return go_on(m, t, bad);
}

// ---- loss ----

bool ThreadModel::lose(Machine& m, unsigned node, std::string_view& bad) const {
    for (unsigned page = 0; page < config_.pages; page++)
        if (!checker::apply(m.page[page], page_, {Kind::kLose, uint8_t(node)}, bad))
            return false;
    for (Thread& t : std::span(m.thread).first(threads())) {
        uint8_t done = config_.records() ? t.done : uint8_t(0);
        if (t.node == node)
            t = {uint8_t(node), done, Doing::kFailed, Op::kNone, 0};
    }
    return true;
}

// ---- the model ----

bool ThreadModel::apply(Machine& m, const Step& step, std::string_view& bad) const {
    std::string_view rule;
    bool possible = false;
    switch (step.kind) {
    case Step::Kind::kPage:
        possible = checker::apply(m.page[step.index], page_, step.event, rule);
        break;
    case Step::Kind::kStart:
        possible = begin(m, step.index, step.operation, bad);
        break;
    case Step::Kind::kGoOn:
        possible = go_on(m, step.index, bad);
        break;
    case Step::Kind::kLose:
        possible = lose(m, step.index, rule);
        break;
    }
    if (!rule.empty() && !config_.values_only)
        bad = rule;
    return possible;
}

std::string_view ThreadModel::violation(const Machine& m) const {
    if (config_.values_only)
        return {};
    for (unsigned page = 0; page < config_.pages; page++)
        if (auto bad = checker::violation(m.page[page], page_); !bad.empty())
            return bad;
    return {};
}

bool ThreadModel::finished(const Machine& m) const {
    for (unsigned t = 0; t < threads(); t++)
        if (!gone(m, m.thread[t]) && m.thread[t].done < length(t))
            return false;
    for (unsigned page = 0; page < config_.pages; page++)
        if (!quiet(m.page[page], page_))
            return false;
    return true;
}

} // namespace procshare::checker
