// SPDX-License-Identifier: GPL-2.0-only
#include "walk.h"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include <fmt/format.h>

#include "page.hpp"
#include "walk_links.h"

namespace procshare::checker {
namespace {

using machines::Effects;
using machines::home_seat;
using machines::Page;
using machines::Parcel;
using machines::Seat;
using machines::Version;

constexpr unsigned kNoPage = ~0u;
constexpr size_t kTraceLines = 120;
// Fewer events than this drain whatever a walk leaves behind.
constexpr uint64_t kDrainEvents = 20'000'000;
// Whatever is possible happens within so many tries.
constexpr uint64_t kTries = 1'000'000;

const char* name(const coh_msg& m) {
    constexpr const char* kTypes[] = {"?",    "GET",    "GRANT", "FWD",  "INV",    "ACK",
                                      "DONE", "NOPAGE", "PUT",   "LOST", "FLUSHED"};
    return m.type < std::size(kTypes) ? kTypes[m.type] : "?";
}

class Walk {
public:
    // With @watched, what happens to that page is written down.
    Walk(const WalkConfig& config, unsigned watched)
        : config_(config), watched_(watched), random_(config.seed), pages_(config.pages),
          changes_(config.pages), links_(config.nodes), losses_left_(config.losses) {
        for (unsigned n = 0; n < config.nodes; n++)
            for (unsigned t = 0; t < config.threads; t++)
                threads_.push_back({Seat(n)});
    }

    WalkResult run() {
        while (result_.events < config_.steps && good())
            go(false);
        const uint64_t end = result_.events + kDrainEvents;
        while (!through() && good()) {
            go(true);
            if (result_.events > end)
                fail(kNoPage, "not everything comes to an end");
        }
        if (good())
            judge_end();
        result_.trace = fmt::format("{}", fmt::join(trace_, ""));
        return std::move(result_);
    }

    unsigned failed_page() const { return failed_page_; }

private:
    struct Thread {
        Seat node;
        unsigned page = kNoPage; // that it waits for
        coh_access access = COH_NONE;
    };
    // A notifier at home; 0: none.
    struct Change {
        uint8_t want = 0;
    };

    bool good() const { return result_.violation.empty(); }
    bool dead(unsigned node) const { return lost_ & coh_bit(node); }
    unsigned below(unsigned n) { return unsigned(random_() % n); }
    bool chance(unsigned in) { return random_() % in == 0; }

    void fail(unsigned page, std::string_view what) {
        if (!good())
            return;
        result_.violation = what;
        failed_page_ = page;
    }

    template <class... Args>
    void note(unsigned page, fmt::format_string<Args...> format, Args&&... args) {
        if (page != watched_)
            return;
        trace_.push_back(fmt::format("{}: ", result_.events) +
                         fmt::format(format, std::forward<Args>(args)...) + "\n");
        if (trace_.size() > kTraceLines)
            trace_.pop_front();
    }

    void send(unsigned page, const Parcel& parcel) {
        const coh_msg& m = parcel.msg;
        if (m.to >= config_.nodes)
            return fail(page, "a message to a node that is not there");
        note(page, "  {} -> {} {} access {} epoch {} acks {:#x}", m.from, m.to, name(m), m.access, m.epoch,
             m.acks);
        result_.messages += links_.send({page, parcel});
    }

    // ---- after each event ----

    void settle(unsigned page, const Effects& effects) {
        result_.events++;
        for (const Parcel& parcel : effects.sent)
            send(page, parcel);
        if (!effects.broken.empty())
            fail(page, effects.broken);
        if (auto rule = pages_[page].violation(lost_); !rule.empty())
            fail(page, rule);
    }

    // The receiving thread serves what needs no page table; the rest comes later.
    void serve_messages(unsigned page) {
        while (good() && coh_home_next(&pages_[page].home()) == COH_NEXT_MESSAGES) {
            Effects effects;
            pages_[page].serve(effects, below(2) == 0);
            settle(page, effects);
        }
    }

    // ---- events ----

    void deliver() {
        if (auto sent = links_.take(random_()))
            deliver(*sent);
    }

    void deliver(const Sent& sent) {
        const coh_msg& m = sent.parcel.msg;
        Effects effects;
        if (m.type == COH_LOST)
            links_.close(m.to, m.requester);
        note(sent.page, "{} -> {} {} arrives", m.from, m.to, name(m));
        pages_[sent.page].deliver(sent.parcel, effects);
        settle(sent.page, effects);
        if (effects.failed)
            refuse(sent.page, m.to);
        if (effects.installed)
            holding_.push_back({sent.page, m.to});
        if (m.to == home_seat)
            serve_messages(sent.page);
        if (m.type == COH_LOST)
            forget_lost();
    }

    void refuse(unsigned page, Seat node) {
        for (Thread& t : threads_)
            if (t.node == node && t.page == page) {
                t.page = kNoPage;
                result_.refused++;
            }
    }

    void serve_copy() {
        unsigned page = below(config_.pages);
        if (coh_home_next(&pages_[page].home()) != COH_NEXT_COPY)
            return;
        Effects effects;
        note(page, "home serves the head of its queue");
        pages_[page].serve(effects, below(2) == 0);
        settle(page, effects);
        serve_messages(page);
    }

    bool waited_for(unsigned page, Seat node) const {
        return std::ranges::any_of(threads_, [&](const Thread& t) {
            return t.node == node && t.page == page && pages_[page].mapped(node) >= t.access;
        });
    }

    void release() {
        if (holding_.empty())
            return;
        unsigned pick = below(unsigned(holding_.size()));
        auto [page, node] = holding_[pick];
        if (!dead(node) && waited_for(page, node))
            return;
        holding_[pick] = holding_.back();
        holding_.pop_back();
        if (gone(node))
            return;
        Effects effects;
        note(page, "{} ends its hold", node);
        pages_[page].release(node, effects);
        settle(page, effects);
    }

    void put() {
        unsigned page = below(config_.pages);
        Seat node = Seat(below(config_.nodes));
        Effects effects;
        if (node == home_seat || dead(node) || !pages_[page].put(node, effects))
            return;
        note(page, "{} gives the page back", node);
        settle(page, effects);
    }

    // ---- threads ----

    void thread_step(bool drain) {
        Thread& t = threads_[below(unsigned(threads_.size()))];
        if (dead(t.node))
            return;
        bool fresh = t.page == kNoPage;
        if (fresh && drain)
            return;
        if (fresh) {
            t.page = below(config_.pages);
            t.access = chance(3) ? COH_WRITE : COH_READ;
        }
        if (pages_[t.page].mapped(t.node) >= t.access)
            access(t);
        else if (t.node == home_seat)
            fault_at_home(t, fresh);
        else
            fault(t);
    }

    void access(Thread& t) {
        Page& page = pages_[t.page];
        Version seen = 0;
        if (t.access == COH_WRITE ? !page.write(t.node, ++version_) : !page.read(t.node, seen))
            fail(t.page, "a thread sees something else than the last write");
        (t.access == COH_WRITE ? result_.writes : result_.reads)++;
        note(t.page, "{} {}", t.node, t.access == COH_WRITE ? "writes" : "reads");
        result_.events++;
        t.page = kNoPage;
    }

    void fault(Thread& t) {
        const coh_node* node = pages_[t.page].node(t.node);
        if (node && node->pending)
            return;
        Effects effects;
        note(t.page, "{} faults: {}", t.node, int(t.access));
        pages_[t.page].fault(t.node, t.access, effects);
        settle(t.page, effects);
    }

    void fault_at_home(Thread& t, bool fresh) {
        unsigned page = t.page;
        const coh_home& h = pages_[page].home();
        uint8_t want = t.access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_READ;
        if (h.discards || (!fresh && coh_home_wanted(&h, want, false)))
            return;
        Effects effects;
        if (pages_[page].lost() && !fresh) {
            pages_[page].release_home(COH_WRITE);
            refuse(page, home_seat);
        } else if (pages_[page].fault(home_seat, t.access, effects)) {
            coh_access access_done = t.access;
            access(t);
            pages_[page].release_home(access_done);
        }
        note(page, "home's thread: {}", want);
        settle(page, effects);
        serve_messages(page);
    }

    // ---- home's mapping ----

    void change(bool drain) {
        unsigned page = below(config_.pages);
        uint8_t& want = changes_[page].want;
        if (want) {
            if (!pages_[page].change_ready(want == COH_WANT_DISCARD ? want : COH_WANT_READ | COH_WANT_WRITE))
                return;
            note(page, "the change {} of home's mapping ends", want);
            pages_[page].end_change(want, ++version_);
            want = 0;
        } else if (!drain && config_.changes && chance(8)) {
            constexpr uint8_t kWants[] = {COH_WANT_DISCARD, COH_WANT_WRITE, COH_WANT_READ};
            want = kWants[below(3)];
            note(page, "a change {} of home's mapping begins", want);
            pages_[page].begin_change(want);
        } else {
            return;
        }
        settle(page, {});
        serve_messages(page);
    }

    // ---- loss ----

    coh_set survivors() const {
        coh_set all = config_.nodes == 64 ? ~coh_set(0) : coh_bit(config_.nodes) - 1;
        return all & ~lost_ & ~coh_bit(home_seat);
    }

    void lose() {
        Seat node = Seat(1 + below(config_.nodes - 1));
        if (!losses_left_ || dead(node))
            return;
        losses_left_--;
        result_.lost_nodes++;
        lost_ |= coh_bit(node);
        links_.close(home_seat, node);
        for (unsigned page = 0; page < config_.pages; page++) {
            Effects effects;
            note(page, "{} is lost", node);
            pages_[page].lose(node, survivors(), effects);
            settle(page, effects);
            serve_messages(page);
        }
        forget_lost();
    }

    // Does nobody listen to the lost node any more?
    bool gone(unsigned node) const {
        if (!dead(node))
            return false;
        for (unsigned s = 0; s < config_.nodes; s++)
            if (!dead(s) && !links_.closed(s, node))
                return false;
        return true;
    }

    void forget_lost() {
        for (unsigned k = 1; k < config_.nodes; k++)
            if (gone(k))
                links_.forget(k);
    }

    // ---- the walk ----

    void go(bool drain) {
        const uint64_t before = result_.events;
        step(drain);
        tries_ = result_.events == before ? tries_ + 1 : 0;
        if (tries_ > kTries)
            fail(kNoPage, "stuck: somebody waits, and nothing happens");
    }

    void step(bool drain) {
        switch (below(16)) {
        case 0:
            return serve_copy();
        case 1:
        case 2:
            return release();
        case 3:
            return change(drain);
        case 4:
            if (config_.puts && !drain && chance(4))
                put();
            return;
        case 5:
            if (!drain && losses_left_ && chance(unsigned(config_.steps / 32 / config_.losses + 1)))
                lose();
            return;
        case 6:
        case 7:
        case 8:
        case 9:
        case 10:
            return thread_step(drain);
        default:
            return deliver();
        }
    }

    bool through() const {
        return links_.empty() && holding_.empty() &&
               std::ranges::all_of(threads_,
                                   [&](const Thread& t) { return t.page == kNoPage || dead(t.node); }) &&
               std::ranges::all_of(changes_, [](const Change& c) { return !c.want; }) &&
               std::ranges::all_of(pages_,
                                   [&](const Page& p) { return coh_home_next(&p.home()) == COH_NEXT_NONE; });
    }

    // Nobody waits: then the machines must not either.
    void judge_end() {
        for (unsigned page = 0; page < config_.pages; page++)
            if (!pages_[page].quiet(lost_))
                fail(page, "something waits although nothing is under way");
    }

    const WalkConfig config_;
    const unsigned watched_;
    std::mt19937_64 random_;
    std::vector<Page> pages_;
    std::vector<Change> changes_;
    std::vector<Thread> threads_;
    Links links_;
    std::vector<std::pair<unsigned, Seat>> holding_; // pages being held, and where
    coh_set lost_ = 0;
    unsigned losses_left_;
    Version version_ = 0;
    uint64_t tries_ = 0; // since something happened
    unsigned failed_page_ = kNoPage;
    std::deque<std::string> trace_;
    WalkResult result_;
};

} // namespace

WalkResult walk(const WalkConfig& config) {
    Walk first(config, kNoPage);
    WalkResult result = first.run();
    if (result.violation.empty() || first.failed_page() == kNoPage)
        return result;
    return Walk(config, first.failed_page()).run();
}

} // namespace procshare::checker
