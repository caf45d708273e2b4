// SPDX-License-Identifier: GPL-2.0-only
//
// Threads on several pages: the model of model.h once per page, and threads that
// read and write them, change home's mapping, and note what they see.
//
// Messages about different pages may overtake each other, which is more than a
// link between two nodes does: what holds here holds there.  A thread faults
// only for what it is about to do; its node keeps what it was granted until the
// threads that wait there for it have had their access (the minimum hold).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"
#include "program.h"

namespace procshare::checker {

struct ThreadConfig {
    // Threads that choose freely what they do, unless @program says it.
    unsigned remotes = 2;
    unsigned threads = 2;    // per node
    unsigned operations = 2; // per thread
    unsigned changes = 0;    // of home's mapping, by one more thread at home
    unsigned pages = 2;
    unsigned losses = 0;
    std::optional<Program> program;
    // With a program: what each read has seen is part of the state, to be explained in the end by a total
    // order.  Otherwise each access must find the last write, in the order in which the model makes them:
    // fewer states, and a stronger demand.
    bool histories = true;
    bool puts = false;        // nodes give pages back
    bool eager = false;       // who wants to read is granted the right to write, too
    bool values_only = false; // judge by what threads see, by nothing else
    bool symmetry = true;     // remotes and pages are interchangeable

    Config page() const; // of the model of one page
    bool records() const { return program && histories; }
    // Are threads with the same operations on the same node interchangeable, and nodes with the same threads?
    bool alike() const { return symmetry && program && !histories; }
};

enum class Doing : uint8_t { kNothing, kWaiting, kFailed };

struct Thread {
    uint8_t node;
    uint8_t done;
    Doing doing;
    Op op; // being done
    uint8_t page;
    auto operator<=>(const Thread&) const = default;
};

struct Machine {
    std::array<World, kMaxPages> page;
    std::array<Thread, kMaxThreads> thread;
    History history; // with a program only
};

struct Step {
    enum class Kind : uint8_t {
        kPage,  // @event happens to page @index
        kStart, // thread @index begins @operation
        kGoOn,  // thread @index, which waits, can go on
        kLose,  // node @index is lost
    };
    Kind kind;
    uint8_t index;
    Operation operation;
    Event event;
};

class ThreadModel {
public:
    explicit ThreadModel(const ThreadConfig& config);

    Machine initial() const;
    std::vector<Step> candidates(const Machine& m) const;
    // False if @step is impossible; @bad says which rule it breaks.
    bool apply(Machine& m, const Step& step, std::string_view& bad) const;
    std::string_view violation(const Machine& m) const;
    // Every thread is through, and nothing is under way on any page.
    bool finished(const Machine& m) const;

    // The canonical form; the second keeps what it has made of each page, and
    // makes anew only those of the set @changed.
    using EncodedPage = std::array<Encoding, 6>; // for each renaming of the remotes
    using Encoded = std::array<EncodedPage, kMaxPages>;
    void encode(const Machine& m, Encoding& out) const;
    void encode(const Machine& m, Encoded& pages, unsigned changed, Encoding& out) const;
    // The pages that @step may change in @m.
    unsigned changed(const Machine& m, const Step& step) const;
    Machine decode(std::span<const uint8_t> bytes) const;
    std::string describe(const Step& step) const;
    std::string describe(const Machine& m) const;

    const ThreadConfig& config() const { return config_; }

private:
    unsigned threads() const { return threads_; }
    bool alive(const Machine& m, unsigned node) const;
    bool gone(const Machine& m, const Thread& t) const;
    unsigned length(unsigned t) const;
    bool is_changer(unsigned t) const;
    bool may_choose(unsigned t, Operation o) const;
    uint8_t other_page(uint8_t page) const;
    bool may_release(const Machine& m, unsigned page, unsigned node) const;
    void add_page_steps(const Machine& m, unsigned page, std::vector<Step>& steps) const;
    void add_thread_steps(const Machine& m, unsigned t, std::vector<Step>& steps) const;

    bool begin(Machine& m, unsigned t, Operation o, std::string_view& bad) const;
    bool go_on(Machine& m, unsigned t, std::string_view& bad) const;
    bool access(Machine& m, unsigned t, std::string_view& bad) const;
    bool change(Machine& m, unsigned t, std::string_view& bad) const;
    bool move(Machine& m, unsigned t, std::string_view& bad) const;
    bool ask(Machine& m, unsigned t, std::string_view& bad) const;
    void look(Machine& m, unsigned t, std::string_view& bad) const;
    void finish(Machine& m, unsigned t) const;
    bool lose(Machine& m, unsigned node, std::string_view& bad) const;

    using PageOrder = std::array<uint8_t, kMaxPages>;
    void append_threads(const Machine& m, const Names& to, const PageOrder& order, Encoding& out) const;
    uint8_t group(unsigned t) const;
    bool same_threads(const Names& to) const;
    void encode_page(const World& page, EncodedPage& out) const;

    const ThreadConfig config_;
    const Config page_;
    unsigned threads_;
    std::array<uint8_t, kMaxThreads> likeness_{}; // by thread: equal if they do the same
    std::vector<Names> renamings_;                // of the remotes, that leave the behaviour as it is
};

} // namespace procshare::checker
