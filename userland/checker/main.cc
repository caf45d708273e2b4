// SPDX-License-Identifier: GPL-2.0-only
//
// procshare-check - explore every behaviour of the page coherence protocol
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "explore.h"

namespace {

using namespace procshare::checker;

constexpr const char* kUsage = R"(usage: procshare-check [option]...
Explores the page coherence protocol of the kernel with one page, home and a few
remote nodes, exhaustively, and stops at the first violation.

  --remotes=N       remote nodes, 1 to 3 (2)
  --losses=N        nodes that may be lost (0)
  --discards=N      discards at the same time (1)
  --recalls=N       other notifiers at the same time (1)
  --overtake=inv    INV may overtake read grants
  --overtake=fwd    FWD may overtake write grants
  --overtake=get    anything may overtake a GET for an untouched page
  --eager=always    who wants to read is granted the right to write, too
  --eager=any       sometimes it is
  --no-home-faults, --no-puts, --no-refusals, --no-timeouts, --no-abandon,
  --fast-install    leave these behaviours out
  --turned-away     home may refuse a GET for an untouched page where it arrives
  --liveness        look for starvation, too
  --no-symmetry     tell the remote nodes apart
  --max-states=N    give up after N states
  --expect-violation  succeed only if there is one
  --quiet           no trace
)";

struct Options {
    Config config;
    Limits limits;
    bool expect_violation = false;
    bool quiet = false;
};

[[noreturn]] void usage(int status) {
    std::fputs(kUsage, status ? stderr : stdout);
    std::exit(status);
}

bool flag(Options& o, const std::string& name) {
    const std::map<std::string, std::pair<bool*, bool>> flags = {
        {"--no-home-faults", {&o.config.home_faults, false}},
        {"--no-puts", {&o.config.puts, false}},
        {"--no-refusals", {&o.config.refusals, false}},
        {"--turned-away", {&o.config.turned_away, true}},
        {"--no-timeouts", {&o.config.timeouts, false}},
        {"--no-abandon", {&o.config.abandon, false}},
        {"--fast-install", {&o.config.slow_install, false}},
        {"--no-symmetry", {&o.config.symmetry, false}},
        {"--liveness", {&o.limits.liveness, true}},
        {"--expect-violation", {&o.expect_violation, true}},
        {"--quiet", {&o.quiet, true}},
    };
    auto i = flags.find(name);
    if (i == flags.end())
        return false;
    *i->second.first = i->second.second;
    return true;
}

bool number(Options& o, const std::string& name, const std::string& value) {
    const std::map<std::string, std::pair<unsigned*, unsigned>> numbers = {
        {"--remotes", {&o.config.remotes, kMaxRemotes}},
        {"--losses", {&o.config.losses, kMaxRemotes}},
        {"--discards", {&o.config.discards, 3}},
        {"--recalls", {&o.config.recalls, 3}},
    };
    unsigned long n = std::strtoul(value.c_str(), nullptr, 10);
    if (name == "--max-states") {
        o.limits.states = n;
        return true;
    }
    auto i = numbers.find(name);
    if (i == numbers.end() || n > i->second.second)
        return false;
    *i->second.first = unsigned(n);
    return true;
}

bool overtake(Options& o, const std::string& value) {
    if (value == "inv")
        o.config.overtake = Overtake::kInvReadGrant;
    else if (value == "fwd")
        o.config.overtake = Overtake::kFwdWriteGrant;
    else if (value == "get")
        o.config.overtake = Overtake::kGet;
    else
        return false;
    return true;
}

bool eager(Options& o, const std::string& value) {
    if (value == "always")
        o.config.eager = Eager::kAlways;
    else if (value == "any")
        o.config.eager = Eager::kAny;
    else
        return false;
    return true;
}

bool choice(Options& o, const std::string& name, const std::string& value) {
    if (name == "--overtake")
        return overtake(o, value);
    if (name == "--eager")
        return eager(o, value);
    return number(o, name, value);
}

Options parse(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; i++) {
        std::string arg = argv[i];
        size_t eq = arg.find('=');
        if (arg == "--help")
            usage(0);
        if (flag(o, arg))
            continue;
        if (eq == std::string::npos)
            usage(2);
        std::string name = arg.substr(0, eq), value = arg.substr(eq + 1);
        if (!choice(o, name, value))
            usage(2);
    }
    if (!o.config.remotes)
        usage(2);
    if (o.limits.liveness)
        o.config.symmetry = false;
    return o;
}

} // namespace

int main(int argc, char** argv) {
    Options o = parse(argc, argv);
    auto start = std::chrono::steady_clock::now();
    Result r = explore(o.config, o.limits);
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (!r.violation.empty() && !o.quiet)
        std::fputs(r.trace.c_str(), stdout);
    std::printf("%s: %zu states, %zu transitions, depth %zu, %.1f s\n",
                !r.violation.empty() ? r.violation.c_str()
                : r.complete         ? "no violation"
                                     : "no violation so far, incomplete",
                r.states, r.transitions, r.depth, seconds.count());
    if (o.expect_violation)
        return r.violation.empty();
    return r.violation.empty() && r.complete ? 0 : 1;
}
