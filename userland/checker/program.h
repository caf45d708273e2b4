// SPDX-License-Identifier: GPL-2.0-only
//
// What threads do: operations on pages, histories of what they have seen, and
// whether a history is sequentially consistent.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace procshare::checker {

inline constexpr unsigned kMaxThreads = 7;
inline constexpr unsigned kMaxRemoteNodes = 2; // that a program can name
inline constexpr unsigned kMaxThreadsPerNode = 2;
inline constexpr unsigned kMaxOperations = 4; // of one thread
inline constexpr unsigned kMaxPages = 3;

enum class Op : uint8_t {
    kNone,
    kRead,
    kWrite,
    // Changes of home's mapping, by a thread at home.
    kDiscard, // the page is thrown away: zeros follow
    kProtect, // recalled for writing; the contents stay
    kFork,    // recalled for reading
    kMove,    // the page becomes the next page (mremap); zeros stay behind
};

constexpr bool changes_mapping(Op op) {
    return op >= Op::kDiscard;
}

struct Operation {
    Op op = Op::kNone;
    uint8_t page = 0;
    auto operator<=>(const Operation&) const = default;
};

// A thread of a program whose operations are given.
struct Script {
    uint8_t node = 0;
    std::vector<Operation> operations;
};

struct Program {
    std::string name;
    unsigned pages = 2;
    bool placed = false; // the nodes of the threads are given
    std::vector<Script> threads;
};

// What identifies the write of operation @index of @thread; 0 is a fresh page.
constexpr uint8_t write_id(unsigned thread, unsigned index) {
    return uint8_t(1 + thread * kMaxOperations + index);
}

// Per thread: how many operations it has done, and what each read has returned.
struct History {
    std::array<uint8_t, kMaxThreads> done{};
    std::array<std::array<uint8_t, kMaxOperations>, kMaxThreads> seen{};
    auto operator<=>(const History&) const = default;
};

// "W" "R" "Z" (discard) "P" (protect) "F" (fork) "M" (move) and a page, x y or z:
// "Wx Ry".  Empty if @text is something else.
std::vector<Operation> parse_operations(std::string_view text);
std::string describe(const Operation& operation);
std::string describe(const Program& program, const History& history);

// All that can be seen on a sequentially consistent memory.
std::set<History> consistent_histories(const Program& program);

// Is there a total order of what has been done, in which each read returns the
// latest write?
bool consistent(const Program& program, const History& history);

} // namespace procshare::checker
