// SPDX-License-Identifier: GPL-2.0-only
//
// procshare-check-walk - random walks of the page coherence protocol
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "walk.h"

int main(int argc, char** argv) {
    using namespace procshare::checker;
    constexpr int kUsageError = 2;
    CLI::App app("Walks at random through the page coherence protocol, with many nodes.",
                 "procshare-check-walk");
    WalkConfig config;
    std::uint64_t seeds = 1;
    bool expect_violation = false, quiet = false;

    app.add_option("--nodes", config.nodes, "Nodes, home included (64)")->check(CLI::Range(2, 64));
    app.add_option("--pages", config.pages, "Pages (16)")->check(CLI::Range(1, 4096));
    app.add_option("--threads", config.threads, "Threads per node (2)")->check(CLI::Range(1, 64));
    app.add_option("--steps", config.steps, "Events per walk, before it is led to its end (100000)");
    app.add_option("--seed", config.seed, "Of the first walk (1)");
    app.add_option("--walks", seeds, "Walks, each with the next seed (1)");
    app.add_option("--losses", config.losses, "Nodes that get lost in each walk (0)")
        ->check(CLI::Range(0, 32));
    app.add_flag("!--no-changes", config.changes, "Without discards, protections and forks");
    app.add_flag("!--no-puts", config.puts, "Without pages given back");
    app.add_flag("--expect-violation", expect_violation, "Succeed only if there is one");
    app.add_flag("--quiet", quiet, "Print no trace");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) ? kUsageError : EXIT_SUCCESS;
    }
    if (config.losses >= config.nodes - 1) {
        fmt::print(stderr, "procshare-check-walk: at least one remote node must survive: fewer --losses\n");
        return kUsageError;
    }
    for (std::uint64_t i = 0; i < seeds; i++, config.seed++) {
        WalkResult r = walk(config);
        if (!r.violation.empty() && !quiet)
            fmt::print("{}", r.trace);
        fmt::print("seed {}: {}: {} events, {} messages, {} reads, {} writes, {} refused, {} nodes lost\n",
                   config.seed, r.violation.empty() ? "no violation" : r.violation, r.events, r.messages,
                   r.reads, r.writes, r.refused, r.lost_nodes);
        if (!r.violation.empty())
            return expect_violation ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    return expect_violation ? EXIT_FAILURE : EXIT_SUCCESS;
}
