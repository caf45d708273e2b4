// SPDX-License-Identifier: GPL-2.0-only
#include "page.hpp"

#include <algorithm>
#include <span>

#include "rights.hpp"

namespace procshare::machines {
namespace {

void breaks(Effects& effects, std::string_view rule) {
    if (effects.broken.empty())
        effects.broken = rule;
}

} // namespace

Page::Page() {
    coh_home_init(&home_);
    migratory_init(&migratory_);
}

Page::Remote& Page::remote(Seat seat) {
    if (remotes_.size() <= seat)
        remotes_.resize(seat + 1u);
    if (!remotes_[seat]) {
        remotes_[seat] = std::make_unique<Remote>();
        coh_node_init(&remotes_[seat]->node);
    }
    return *remotes_[seat];
}

const coh_node* Page::node(Seat seat) const {
    return seat < remotes_.size() && remotes_[seat] ? &remotes_[seat]->node : nullptr;
}

const Page::Frame* Page::frame(Seat seat) const {
    if (seat == home_seat)
        return &home_frame_;
    return node(seat) ? &remotes_[seat]->frame : nullptr;
}

coh_access Page::mapped(Seat seat) const {
    if (seat == home_seat)
        return home_pte_;
    return node(seat) ? remotes_[seat]->pte : COH_NONE;
}

bool Page::read(Seat seat, Version& seen) const {
    const Frame* f = frame(seat);

    if (!f || !f->there || mapped(seat) == COH_NONE)
        return false;
    seen = f->version;
    return seen == last_;
}

bool Page::write(Seat seat, Version version) {
    Version before;
    const bool whole = read(seat, before) && mapped(seat) == COH_WRITE;

    last_ = version;
    (seat == home_seat ? home_frame_ : remote(seat).frame).version = version;
    (seat == home_seat ? home_unwritten_ : remote(seat).unwritten) = false;
    return whole;
}

// ---- what the machines ask for ----

void Page::send(Seat seat, coh_msg msg, Effects& effects) {
    const Frame* f = frame(seat);
    const bool data = msg.flags & COH_DATA;

    if (msg.type == COH_GRANT && seat != home_seat && remote(seat).unwritten)
        msg.flags |= COH_UNWRITTEN;
    if (const auto rule = unprotected(msg, mapped(seat)); !rule.empty())
        breaks(effects, rule);
    if (data && (!f || !f->there))
        breaks(effects, "the page is sent but is not there");
    if (msg.to >= seats || msg.to == seat)
        breaks(effects, "a message without an addressee");
    else
        effects.sent.push_back({msg, data && f ? f->version : 0});
}

void Page::perform_home(const coh_action& action, const Parcel* arrived, Effects& effects) {
    switch (action.act) {
    case COH_HOME_WRPROTECT:
        effects.flushed += home_pte_ == COH_WRITE;
        home_pte_ = std::min(home_pte_, COH_READ);
        break;
    case COH_HOME_CLEAR:
        effects.flushed += home_pte_ != COH_NONE;
        home_pte_ = COH_NONE;
        break;
    case COH_HOME_DATA:
        if (home_pte_ != COH_NONE)
            breaks(effects, "data for a page that home has mapped");
        if (!arrived || !(arrived->msg.flags & COH_DATA))
            breaks(effects, "home keeps data that did not come");
        else
            home_frame_ = {true, arrived->version};
        effects.stored++;
        break;
    case COH_HOME_WAKE:
        effects.woke = true;
        break;
    default:
        breaks(effects, "home was asked for an action of a node");
    }
}

void Page::perform_node(Seat seat, const coh_action& action, const Parcel* arrived, Effects& effects) {
    Remote& r = remote(seat);

    switch (action.act) {
    case COH_UNMAP:
        effects.flushed += r.pte != COH_NONE;
        r.pte = COH_NONE;
        break;
    case COH_WRPROTECT:
        effects.flushed += r.pte == COH_WRITE;
        r.pte = std::min(r.pte, COH_READ);
        break;
    case COH_STORE:
        if (!arrived || !(arrived->msg.flags & COH_DATA))
            breaks(effects, "a node keeps data that did not come");
        else
            r.frame = {true, arrived->version};
        effects.stored++;
        break;
    case COH_INSTALL:
        if (!r.frame.there)
            breaks(effects, "nothing to install");
        r.pte = static_cast<coh_access>(action.access);
        effects.installed = r.pte;
        break;
    case COH_DROP:
        if (r.pte != COH_NONE)
            breaks(effects, "a mapped frame is freed");
        r.frame.there = false;
        break;
    case COH_WAKE:
        break;
    case COH_FAIL:
        effects.failed = true;
        break;
    default:
        breaks(effects, "a node was asked for an action of home");
    }
}

void Page::perform(Seat seat, const coh_out& out, const Parcel* arrived, Effects& effects) {
    bool clear = false;

    if (out.n >= COH_MAX_ACTIONS)
        breaks(effects, "too many actions");
    for (const coh_action& a : std::span(out.a, out.n)) {
        if (a.act == COH_SEND) {
            send(seat, a.msg, effects);
        } else if (a.act == COH_SEND_SET) {
            coh_msg m = a.msg;
            for (m.to = 0; m.to < seats; m.to++)
                if (a.set & coh_bit(m.to))
                    send(seat, m, effects);
        } else if (seat == home_seat) {
            perform_home(a, arrived, effects);
        } else {
            perform_node(seat, a, arrived, effects);
        }
        clear = clear || a.act == COH_HOME_CLEAR;
    }
    if (clear)
        home_frame_.there = false;
}

// ---- events ----

bool Page::fault(Seat seat, coh_access access, Effects& effects) {
    if (seat == home_seat) {
        if (map_home(access))
            return true;
        coh_home_want(&home_, access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_READ, false);
        return false;
    }
    Remote& r = remote(seat);
    if (coh_node_may(&r.node, access)) {
        r.pte = access;
        return true;
    }
    coh_out out{};
    coh_node_fault(&r.node, seat, home_seat, access, &out);
    perform(seat, out, nullptr, effects);
    return false;
}

void Page::expect(Seat seat, coh_access access, Effects& effects) {
    if (seat == home_seat) {
        if (!coh_home_may(&home_, access))
            coh_home_want(&home_, access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_READ, false);
        return;
    }
    coh_out out{};
    coh_node_fault(&remote(seat).node, seat, home_seat, access, &out);
    perform(seat, out, nullptr, effects);
}

void Page::unmap(Seat seat, coh_access access) {
    remote(seat).pte = std::min(remote(seat).pte, access);
}

bool Page::unwritten(Seat seat) const {
    return seat == home_seat ? home_unwritten_ : node(seat) && remotes_[seat]->unwritten;
}

void Page::deliver_home(const Parcel& parcel, coh_out& out) {
    if (parcel.msg.flags & COH_UNWRITTEN)
        migratory_unwritten(&migratory_);
    coh_home_message(&home_, home_seat, &parcel.msg, &out);
}

void Page::deliver_node(const Parcel& parcel, coh_out& out) {
    Remote& r = remote(parcel.msg.to);
    const u8 asked = r.node.pending;

    coh_node_message(&r.node, parcel.msg.to, home_seat, &parcel.msg, &out);
    if (parcel.msg.type == COH_GRANT && asked && !r.node.pending)
        r.unwritten = asked == COH_READ && r.node.state == COH_M;
}

void Page::deliver(const Parcel& parcel, Effects& effects) {
    coh_out out{};
    const Seat seat = parcel.msg.to;

    if (seat == home_seat)
        deliver_home(parcel, out);
    else
        deliver_node(parcel, out);
    perform(seat, out, &parcel, effects);
}

void Page::release(Seat seat, Effects& effects) {
    coh_out out{};

    coh_node_release(&remote(seat).node, seat, home_seat, &out);
    perform(seat, out, nullptr, effects);
}

bool Page::put(Seat seat, Effects& effects) {
    coh_out out{};

    if (!node(seat) || !coh_node_put(&remote(seat).node, seat, home_seat, &out))
        return false;
    perform(seat, out, nullptr, effects);
    return true;
}

bool Page::serve(Effects& effects, std::optional<bool> eager) {
    coh_out out{};

    if (coh_home_next(&home_) == COH_NEXT_NONE)
        return false;
    if (home_.state == COH_HOME_ALONE && home_unwritten_)
        migratory_unwritten(&migratory_);
    const bool guess = migratory_next(&migratory_, &home_);
    const bool mine = coh_home_head(&home_) == COH_NO_NODE;
    home_unwritten_ = mine && guess;
    coh_home_run(&home_, home_seat, &epoch_, eager.value_or(guess), &out);
    perform(home_seat, out, nullptr, effects);
    return true;
}

bool Page::map_home(coh_access access) {
    if (!coh_home_may(&home_, access))
        return false;
    home_pte_ = std::max(home_pte_, access);
    return true;
}

void Page::release_home(coh_access access) {
    coh_home_release(&home_, access);
}

void Page::begin_change(std::uint8_t want) {
    coh_home_want(&home_, want, true);
}

bool Page::change_ready(std::uint8_t want) const {
    return !coh_home_wanted(&home_, want, true);
}

void Page::end_change(std::uint8_t want, Version fresh) {
    if (want == COH_WANT_DISCARD) {
        home_pte_ = COH_NONE;
        home_frame_ = {true, fresh};
        last_ = fresh;
    }
    coh_home_done(&home_, want);
}

void Page::lose(Seat seat, coh_set survivors, Effects& effects) {
    coh_out out{};

    coh_home_lost(&home_, home_seat, seat, survivors, &out);
    perform(home_seat, out, nullptr, effects);
}

// ---- what must hold ----

bool Page::quiet(coh_set dead) const {
    const coh_home& h = home_;

    if (h.busy || h.queued || h.hold || h.home_want || h.home_first || h.discards || h.recalls || h.b_lost)
        return false;
    for (unsigned seat = 1; seat < remotes_.size(); seat++) {
        if (!remotes_[seat] || (dead & coh_bit(seat)))
            continue;
        const coh_node& n = remotes_[seat]->node;
        if (n.pending || n.granted || n.holding || n.ndeferred)
            return false;
    }
    return true;
}

std::string_view Page::violation(coh_set dead) const {
    unsigned readers = home_pte_ == COH_READ, writers = home_pte_ == COH_WRITE;

    if (home_pte_ != COH_NONE && (!home_frame_.there || home_frame_.version != last_))
        return "a page that home can read does not hold the last write";
    for (unsigned seat = 1; seat < remotes_.size(); seat++) {
        if (!remotes_[seat] || (dead & coh_bit(seat)))
            continue;
        const Remote& r = *remotes_[seat];
        readers += r.pte == COH_READ;
        writers += r.pte == COH_WRITE;
        if (r.pte != COH_NONE && (!r.frame.there || r.frame.version != last_))
            return "a page that a node can read does not hold the last write";
        if (r.pte == COH_WRITE && r.node.state != COH_M)
            return "a writer that is not M";
        if (r.pte != COH_NONE && r.node.state == COH_I)
            return "a reader that is I";
        if (r.node.ndeferred > (dead ? 3 : 2))
            return "too many deferred messages";
        if (r.node.state != COH_I && coh_home_idle(&home_))
            return "a copy that home knows nothing of";
    }
    if (home_.home_want && coh_home_next(&home_) == COH_NEXT_COPY)
        return "home's fault holds locks that the request before it needs";
    if (writers > 1)
        return "two writers";
    if (writers && readers)
        return "a writer and a reader";
    if (dead && quiet(dead) &&
        ((home_.sharers & dead) || (home_.owner != COH_NO_NODE && (dead & coh_bit(home_.owner)))))
        return "the directory counts on a lost node";
    return {};
}

} // namespace procshare::machines
