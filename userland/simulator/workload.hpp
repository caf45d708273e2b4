// SPDX-License-Identifier: GPL-2.0-only
// procshare - workload: what the threads of a simulated program touch
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace procshare::simulator {

using Nanoseconds = std::int64_t;
using NodeId = std::uint16_t;
using PageId = std::uint32_t;

inline constexpr unsigned max_nodes = 1024;
// Nodes that may take part in one page, its home among them: the width of the protocol's sets.
inline constexpr unsigned max_sharers = 64;

// A page that is asked for although no thread touches it yet.
struct Ahead {
    PageId page = 0;
    bool write = false;
    bool zero = false;
};

struct Access {
    enum class Kind {
        read,
        write,
        barrier,
        ahead,   // nothing but what is in @ahead
        discard, // home takes the page away from all
    };
    Kind kind = Kind::read;
    PageId page = 0;
    Nanoseconds think = 0;      // computing before it
    bool zero = false;          // home need not send the page if it is asked: it is all zero
    std::vector<Ahead> ahead{}; // asked for in the same breath
};

// The threads of a program; each is asked for one access after the other.
class Workload {
public:
    virtual ~Workload() = default;
    // The node of each thread.
    const std::vector<NodeId>& threads() const { return threads_; }
    unsigned nodes() const { return nodes_; }
    PageId pages() const { return pages_; }
    // What @thread does next, nothing when it has ended.
    virtual std::optional<Access> next(unsigned thread) = 0;
    // May that begin now, which it does then?  @mapped: it would not fault.  If not, the question comes again
    // when something has happened to the page.
    virtual bool begin(unsigned /*thread*/, bool /*mapped*/) { return true; }
    virtual void end(unsigned /*thread*/) {}

protected:
    std::vector<NodeId> threads_;
    unsigned nodes_ = 0;
    PageId pages_ = 0;
};

struct PatternOptions {
    std::string name = "random";
    unsigned nodes = 4;
    unsigned threads = 1;              // per node
    unsigned pages = 64;               // per thread (private, sweep, stencil, producer-consumer), else shared
    unsigned operations = 1000;        // accesses per thread, about
    Nanoseconds think = 10'000;        // mean time between two accesses
    std::optional<double> writes = {}; // share of writes; the pattern's own if not given
    std::uint64_t seed = 1;
};

struct PatternName {
    const char* name;
    const char* help;
};
// All patterns, for --help.
const std::vector<PatternName>& pattern_names();

// Throws Error if there is no such pattern.
std::unique_ptr<Workload> make_pattern(const PatternOptions& options);

} // namespace procshare::simulator
