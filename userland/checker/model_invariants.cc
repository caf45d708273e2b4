// SPDX-License-Identifier: GPL-2.0-only
//
// What must hold in every world.
#include "model_private.h"

namespace procshare::checker {
namespace {

std::string_view check_ptes(const World& w, const Config& config) {
    unsigned readers = 0, writers = 0;
    for (unsigned i = 0; i <= config.remotes; i++) {
        if (!alive(w, i))
            continue;
        readers += pte(w, i) == COH_READ;
        writers += pte(w, i) == COH_WRITE;
        if (pte(w, i) != COH_NONE && frame(w, i) != Value::kLast)
            return "a readable page does not hold the last write";
    }
    if (writers > 1)
        return "two writers";
    if (writers && readers)
        return "a writer and a reader";
    return {};
}

std::string_view check_home(const World& w, const Config& config) {
    const coh_home& h = w.home;
    if (w.home_pte == COH_WRITE && h.state != COH_HOME_ALONE)
        return "home writes but is not alone";
    if (w.home_pte == COH_READ && h.state != COH_HOME_ALONE && h.state != COH_HOME_SHARED)
        return "home reads a stale page";
    if (!config.losses && (h.state == COH_HOME_LOST || (h.state == COH_HOME_STALE && h.owner == COH_NO_NODE)))
        return "a page is lost although no node is";
    if (h.hold && !h.discards && !coh_home_may(&h, coh_access(h.hold)))
        return "the page is taken away before home's fault has installed it";
    if (h.recalls && !h.home_first && (h.state == COH_HOME_STALE || h.state == COH_HOME_OWNED))
        return "the page is taken away before home's recall has ended";
    if (h.home_want && coh_home_next(&h) == COH_NEXT_COPY)
        return "home's fault holds locks that the request before it needs";
    if (coh_home_idle(&h) && !as_new(h))
        return "an idle entry is not as new";
    return {};
}

std::string_view check_loss(const World& w, const Config& config) {
    if (w.home.state != COH_HOME_LOST || w.home.discards)
        return {};
    if (w.home_frame != Value::kNone)
        return "lost, but home has a copy";
    for (unsigned i = 1; i <= config.remotes; i++)
        if (alive(w, i) && remote(w, i).frame != Value::kNone)
            return "lost, but a node has a copy";
    return {};
}

// Once all is quiet nothing is said to be on a node that is gone.
std::string_view check_accounts(const World& w, const Config& config) {
    const coh_home& h = w.home;
    if (!w.lost || !quiet(w, config))
        return {};
    if ((h.sharers & w.lost) || (h.owner != COH_NO_NODE && has(w.lost, h.owner)))
        return "the directory counts on a lost node";
    for (unsigned i = 1; i <= config.remotes; i++)
        if (alive(w, i) && (remote(w, i).node.need & w.lost))
            return "a node counts on a lost node";
    return {};
}

std::string_view check_node(const World& w, const Config& config, unsigned i) {
    const Remote& r = remote(w, i);
    if (r.pte == COH_WRITE && r.node.state != COH_M)
        return "a writer that is not M";
    if (r.pte != COH_NONE && r.node.state == COH_I)
        return "a reader that is I";
    if (r.node.state != COH_I && r.frame == Value::kNone)
        return "a copy without a frame";
    if (r.node.state == COH_I && r.frame != Value::kNone && !r.node.granted)
        return "a frame without a copy";
    if (r.node.ndeferred > (config.losses ? 3 : 2))
        return "too many deferred messages";
    if (r.node.state != COH_I && coh_home_idle(&w.home))
        return "a copy that home knows nothing of";
    return {};
}

} // namespace

std::string_view violation(const World& w, const Config& config) {
    if (auto bad = check_ptes(w, config); !bad.empty())
        return bad;
    if (auto bad = check_home(w, config); !bad.empty())
        return bad;
    for (unsigned i = 1; i <= config.remotes; i++) {
        if (!alive(w, i))
            continue;
        if (auto bad = check_node(w, config, i); !bad.empty())
            return bad;
    }
    if (auto bad = check_loss(w, config); !bad.empty())
        return bad;
    return check_accounts(w, config);
}

bool quiet(const World& w, const Config& config) {
    const coh_home& h = w.home;
    if (w.messages || h.busy || h.queued || h.hold || h.home_want || h.home_first || h.discards ||
        h.recalls || h.b_lost)
        return false;
    for (unsigned i = 1; i <= config.remotes; i++) {
        const Remote& r = remote(w, i);
        if (!alive(w, i))
            continue;
        if (r.node.pending || r.node.granted || r.node.holding || r.node.ndeferred || r.install != COH_NONE)
            return false;
    }
    return true;
}

} // namespace procshare::checker
