// SPDX-License-Identifier: GPL-2.0-only
//
// The model that the checker explores: one page, home (node 0) and a few
// remote nodes that run kernel/procshare/coherence_*.c, and the channels
// between them.
//
// What the machines only ask for is done here as the kernel does it: page-table
// entries, frames, home's faults and notifiers.  A copy of the page is known by
// one thing only, whether it holds the last write.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
#include "coherence.h"
}

namespace procshare::checker {

inline constexpr unsigned kHome = 0;
inline constexpr unsigned kMaxRemotes = 3;
inline constexpr unsigned kMaxMessages = 20;

static_assert(COH_MAX_NODES > kMaxRemotes);

// Which messages may overtake others between one pair of nodes.
enum class Overtake : uint8_t {
    kNothing,
    kInvReadGrant,  // INV overtakes read grants: the protocol tolerates it
    kFwdWriteGrant, // FWD overtakes write grants: must be found to be wrong
    kGet,           // anything overtakes a GET for an untouched page: it waits for others of its block
};

// Is who wants to read granted the right to write, too?
enum class Eager : uint8_t {
    kNever,
    kAlways,
    kAny, // either, from one request to the next
};

struct Config {
    unsigned remotes = 2;
    unsigned losses = 0;
    unsigned discards = 1; // at the same time; any number one after another
    unsigned recalls = 1;  // the same, for the other notifiers
    bool home_faults = true;
    bool puts = true;
    bool refusals = true;      // home cannot export the page: GRANT with error
    bool turned_away = false;  // requests of GET_ZERO are refused where they arrive
    bool timeouts = true;      // home's hold ends although nothing was installed
    bool slow_install = true;  // mapping the page at a node is a step of its own
    bool abandon = true;       // a node gives up before it has mapped the page
    bool symmetry = true;      // remotes are interchangeable
    bool values = false;       // tell old writes apart by their ids
    bool recall_alone = false; // a notifier wants the page even if home has it alone
    Overtake overtake = Overtake::kNothing;
    Eager eager = Eager::kNever;
};

// What a copy holds.  With Config::values an old write is kFirstId plus its id.
enum class Value : uint8_t { kNone, kOld, kLast, kFirstId };

struct Message {
    coh_msg msg;
    Value value;
};

struct Remote {
    coh_node node;
    coh_access pte;
    coh_access install; // COH_INSTALL asked for this, not yet done
    Value frame;
};

struct World {
    coh_home home;
    u64 epoch;
    coh_access home_pte;
    Value home_frame;
    uint8_t last;  // id of the last write, 0: a fresh page (Config::values)
    uint8_t eager; // with Eager::kAny, what the next request gets
    uint8_t losses_left;
    uint8_t lost;                                // set of nodes
    std::array<uint8_t, kMaxRemotes + 1> closed; // per node: links it has closed
    std::array<Remote, kMaxRemotes> remote;      // node i is remote[i - 1]
    uint8_t messages;
    std::array<Message, kMaxMessages> wire; // in the order of sending
};

enum class Kind : uint8_t {
    // These happen sooner or later when they can happen.
    kDeliver,     // the oldest message from .a to .b
    kServeCopy,   // home serves a request that needs its page table
    kHomeInstall, // home's fault installs what it was granted
    kInstall,     // node .a maps the page
    kRelease,     // node .a's minimum hold is over
    kZap,         // home's discard has its answers: zaps, ends
    kRecalled,    // home's other notifier has its answer: ends
    // These happen at will.
    kDeliverInv,  // as kDeliver, for a message that overtakes
    kFault,       // node .a accesses the page for .b
    kPut,         // node .a gives the page back or drops it
    kWrite,       // node .a writes
    kAbandon,     // node .a does not map after all
    kHomeFault,   // home accesses the page for .a
    kHomeTimeout, // home's fault did not install in time
    kRefuse,      // home refuses the next request
    kTurnAway,    // home refuses node .a's GET of untouched pages: its machine never sees it
    kDiscard,     // a notifier at home discards the page
    kRecall,      // a notifier at home wants the page for .a
    kLose,        // node .a is lost
    kEager,       // who reads gets the right to write, or gets it no longer
};

struct Event {
    Kind kind;
    uint8_t a = 0;
    uint8_t b = 0;
};

// May @m have been a part of GET_ZERO?
inline bool of_a_block(const coh_msg& m) {
    return m.type == COH_GET && m.access == COH_WRITE && m.have == COH_NONE;
}

// Must the scheduler let it happen in the end?
constexpr bool fair(Kind kind) {
    return kind < Kind::kDeliverInv;
}

std::string describe(const Event& event);
std::string describe(const World& world, const Config& config);

World initial(const Config& config);

// All events that may be possible in @world.
std::vector<Event> candidates(const World& world, const Config& config);

// Returns false if @event is impossible.  @bad is set if it breaks a rule.
bool apply(World& world, const Config& config, const Event& event, std::string_view& bad);

// An invariant that does not hold in @world, or empty.
std::string_view violation(const World& world, const Config& config);

// For models that build on this one: what @node may do with its copy, what that
// holds, and a write @id (1 to 252, with Config::values) into it.
coh_access mapped(const World& world, unsigned node);
Value held(const World& world, unsigned node);
bool write_at(World& world, const Config& config, unsigned node, uint8_t id);
// A discard whose answers are in ends: the next access finds what @id wrote.
bool zap_at(World& world, const Config& config, uint8_t id, std::string_view& bad);
// What home has alone is moved away: the next access finds a fresh page.
bool clear_at(World& world, const Config& config);

// Nothing waits, nothing is on the wire.
bool quiet(const World& world, const Config& config);

// The canonical form: small epochs, remotes in a fixed order.  Equal encodings
// behave equally.
using Encoding = std::vector<uint8_t>;
void encode(const World& world, const Config& config, Encoding& out);
// The same in steps: small epochs; then appended, with node i called to[i].
using Names = std::array<uint8_t, kMaxRemotes + 1>;
World rank_epochs(const World& world);
void append(const World& ranked, const Config& config, const Names& to, Encoding& out);
bool as_new(const coh_home& home); // equal to an entry after coh_home_init()
// Advances @bytes behind what it has read.
World take(std::span<const uint8_t>& bytes, const Config& config);
World decode(std::span<const uint8_t> bytes, const Config& config);

} // namespace procshare::checker
