// SPDX-License-Identifier: GPL-2.0-only
// procshare-fuzz - feeds the kernel's message code and state machines with what they should never get
//
// Deterministic: seed and number of a run say what happens in it.
#include <array>
#include <cstdio>
#include <cstdlib>

#include <sanitizer/common_interface_defs.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "fuzz.hpp"

namespace procshare::fuzzer {
namespace {

struct Target {
    const char* name;
    const char* help;
    void (*run)(Choice& choice);
};

constexpr std::array targets{
    Target{"stream", "bytes that a peer sends, through receive.c and page_message.c", fuzz_stream},
    Target{"coherence", "events of any kind for the machines of home and of a node", fuzz_coherence},
    Target{"xstate", "extended processor state, through xstate.c", fuzz_xstate},
};

struct {
    const char* target = "-";
    std::uint64_t seed = 0;
    std::uint64_t number = 0;
} under_way;

// The sanitizers end the program by themselves; so does fail().
void say_which() {
    fmt::print(stderr, "procshare-fuzz: to repeat it: procshare-fuzz {} --seed {} --first {} --runs 1\n",
               under_way.target, under_way.seed, under_way.number);
}

void run(const Target& target, std::uint64_t seed, std::uint64_t first, std::uint64_t runs) {
    under_way.target = target.name;
    under_way.seed = seed;
    for (std::uint64_t number = first; number < first + runs; number++) {
        under_way.number = number;
        Choice choice(seed * 0x9e3779b97f4a7c15 + number);
        target.run(choice);
    }
    fmt::print("{}: {} runs, nothing wrong\n", target.name, runs);
}

} // namespace

void fail(std::string_view what) {
    fmt::print(stderr, "procshare-fuzz: {}\n", what);
    say_which();
    std::exit(EXIT_FAILURE);
}

} // namespace procshare::fuzzer

// Called by UndefinedBehaviorSanitizer, which has a runtime of its own.
extern "C" void __ubsan_on_report() {
    procshare::fuzzer::say_which();
}

int main(int argc, char** argv) {
    using namespace procshare::fuzzer;
    constexpr int usage_error = 2;
    CLI::App app("Feeds the kernel's message code and state machines with what they should never get.",
                 "procshare-fuzz");
    std::uint64_t seed = 1, first = 0, runs = 10'000;

    __sanitizer_set_death_callback(say_which);
    app.require_subcommand(1);
    app.add_option("--seed", seed, "Of all runs (1)");
    app.add_option("--first", first, "Number of the first run (0)");
    app.add_option("--runs", runs, "How many (10000)");
    app.fallthrough();
    for (const Target& target : targets)
        app.add_subcommand(target.name, target.help)->callback([&] { run(target, seed, first, runs); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) ? usage_error : EXIT_SUCCESS;
    }
    return EXIT_SUCCESS;
}
