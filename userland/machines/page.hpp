// SPDX-License-Identifier: GPL-2.0-only
// procshare - page: the coherence machines of one page, and what they ask for done
//
// The kernel's machines (coherence*.c) only say what is to be done.  Here it is done to page table
// entries and frames that are nothing but numbers; the caller moves the messages, and the time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

extern "C" {
#include "coherence.h"
#include "migratory.h"
}

namespace procshare::machines {

// What the machines of a page call a node: 0 is the page's home, up to 63 others.
using Seat = std::uint8_t;
inline constexpr Seat home_seat = 0;
inline constexpr unsigned seats = COH_MAX_NODES;

// A copy is known by the number of the last write that it holds; 0 is a fresh page.
using Version = std::uint64_t;

// A message under way; @version is that of the page that travels along.
struct Parcel {
    coh_msg msg;
    Version version;
};

// What one event has led to.
struct Effects {
    std::vector<Parcel> sent;
    coh_access installed = COH_NONE; // the node has mapped the page; release() must follow
    bool woke = false;               // whoever waits at home looks again
    bool failed = false;             // the node's fault is refused
    unsigned stored = 0;             // pages that came and were kept
    unsigned flushed = 0;            // mappings taken away or reduced
    std::string_view broken;         // a rule that was broken; empty: none
};

class Page {
public:
    Page();

    // How @seat may access its mapping of the page right now.
    coh_access mapped(Seat seat) const;
    // An access of @seat, which must be mapped for it: what is read, or a new version.  False, and a
    // broken rule, if the copy does not hold the last write.
    bool read(Seat seat, Version& seen) const;
    bool write(Seat seat, Version version);
    Version last() const { return last_; }

    // A thread of @seat faults.  At home: true if the page could be mapped at once.
    bool fault(Seat seat, coh_access access, Effects& effects);
    // A thread of @seat is likely to fault soon.
    void expect(Seat seat, coh_access access, Effects& effects);
    // Only faults map: @seat's mapping is what it was, @access, although the page has been installed.
    void unmap(Seat seat, coh_access access);
    // May @seat write without having said so yet?  Then its mapping does not let it.
    bool unwritten(Seat seat) const;
    void deliver(const Parcel& parcel, Effects& effects);
    // The minimum hold of a node is over.
    void release(Seat seat, Effects& effects);
    // The node gives the page back; false if it cannot now.
    bool put(Seat seat, Effects& effects);

    // Home starts what it can; true if it started something.  Call until it is false.  Whether it lets
    // readers write is for it to guess, as in the kernel, unless @eager says so.
    bool serve(Effects& effects, std::optional<bool> eager = {});
    // Home maps what its fault was granted; the hold stays until release_home().
    bool map_home(coh_access access);
    void release_home(coh_access access);

    // Changes of home's mapping: begin, then end once ready, as often as begun.
    void begin_change(std::uint8_t want);
    bool change_ready(std::uint8_t want) const;
    // A discard leaves version @fresh; other changes ignore it.
    void end_change(std::uint8_t want, Version fresh);

    // Node @seat is gone: @survivors is the set of the other remote seats.
    void lose(Seat seat, coh_set survivors, Effects& effects);
    bool lost() const { return home_.state == COH_HOME_LOST; }

    // Nothing is under way here (messages are the caller's); seats of @dead do not count.
    bool quiet(coh_set dead) const;
    // An invariant that does not hold, or empty.
    std::string_view violation(coh_set dead) const;

    const coh_home& home() const { return home_; }
    const coh_node* node(Seat seat) const;

private:
    struct Frame {
        bool there = false;
        Version version = 0;
    };
    struct Remote {
        coh_node node;
        coh_access pte = COH_NONE;
        Frame frame;
        bool unwritten = false; // may be written, which nobody has asked for yet
    };

    Remote& remote(Seat seat);
    const Frame* frame(Seat seat) const;
    void perform(Seat seat, const coh_out& out, const Parcel* arrived, Effects& effects);
    void perform_home(const coh_action& action, const Parcel* arrived, Effects& effects);
    void perform_node(Seat seat, const coh_action& action, const Parcel* arrived, Effects& effects);
    void send(Seat seat, coh_msg msg, Effects& effects);
    void deliver_home(const Parcel& parcel, coh_out& out);
    void deliver_node(const Parcel& parcel, coh_out& out);

    coh_home home_;
    coh_access home_pte_ = COH_WRITE;
    Frame home_frame_{true, 0};
    bool home_unwritten_ = false;
    migratory migratory_;
    std::vector<std::unique_ptr<Remote>> remotes_; // by seat, where one was used
    u64 epoch_ = 0;
    Version last_ = 0;
};

} // namespace procshare::machines
