// SPDX-License-Identifier: GPL-2.0-only
//
// procshare-check-threads - what threads see of the page coherence protocol
#include <chrono>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "litmus.h"
#include "search.h"

namespace {

using namespace procshare::checker;

constexpr int kUsageError = 2;

struct Options {
    ThreadConfig config;
    SearchLimits limits;
    std::string file;
    std::vector<std::string> names;
    bool expect_violation = false;
    bool quiet = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

const char* verdict(const SearchResult& r) {
    if (!r.violation.empty())
        return r.violation.c_str();
    return r.complete ? "no violation" : "no violation so far, incomplete";
}

SearchResult run(const Options& options, const ThreadConfig& config, const std::string& label) {
    const auto start = std::chrono::steady_clock::now();
    ThreadModel model(config);
    SearchResult r = search(model, options.limits);
    if (!r.violation.empty() && !options.quiet)
        fmt::print("{}", r.trace);
    fmt::print("{}{}: {} states, {} transitions, depth {}, {} ends, {:.1f} s\n", label, verdict(r), r.states,
               r.transitions, r.depth, r.ends, seconds_since(start));
    return r;
}

bool free_run(const Options& options) {
    SearchResult r = run(options, options.config, "");
    return r.violation.empty() && r.complete;
}

// The outcomes must be those of sequential consistency, neither more nor fewer.
bool litmus_run(const Options& options, const Program& program) {
    ThreadConfig config = options.config;
    for (const Script& script : program.threads)
        if (script.node > config.remotes)
            throw std::runtime_error(
                fmt::format("litmus program '{}': node {} needs more --remotes", program.name, script.node));
    config.program = program;
    config.pages = program.pages;
    SearchResult r =
        run(options, config, fmt::format("{} on {}: ", program.name, describe_placement(program)));
    if (!r.violation.empty() || !r.complete)
        return false;
    size_t allowed = consistent_histories(program).size();
    bool complete = config.losses || !config.histories || r.histories.size() == allowed;
    if (!complete)
        fmt::print("  only {} of {} sequentially consistent outcomes occur\n", r.histories.size(), allowed);
    return complete;
}

bool litmus(const Options& options) {
    bool good = true, any = false;
    for (const Program& program : read_litmus(options.file)) {
        if (!options.names.empty() && std::ranges::find(options.names, program.name) == options.names.end())
            continue;
        any = true;
        for (const Program& placed : placements(program, options.config.remotes)) {
            good = litmus_run(options, placed) && good;
            if (!good && options.expect_violation)
                return false;
        }
    }
    if (!any)
        throw std::runtime_error(fmt::format("{}: holds no litmus program of that name", options.file));
    return good;
}

void add_common(CLI::App& verb, Options& o) {
    verb.add_option("--remotes", o.config.remotes, "Remote nodes (2)")->check(CLI::Range(1u, kMaxRemotes));
    verb.add_option("--losses", o.config.losses, "Nodes that may be lost (0)")
        ->check(CLI::Range(0u, kMaxRemotes));
    verb.add_flag("--puts", o.config.puts, "Nodes may give pages back at any time");
    verb.add_flag("--eager", o.config.eager, "Who wants to read is granted the right to write, too");
    verb.add_flag("--values-only", o.config.values_only,
                  "Judge by what the threads see; no invariants of page tables and directory");
    verb.add_flag("--ends", o.limits.ends, "Also: from every state all operations can still come to an end");
    verb.add_option("--max-states", o.limits.states, "Give up after so many states");
    verb.add_flag("--expect-violation", o.expect_violation, "Succeed only if there is one");
    verb.add_flag("--quiet", o.quiet, "Print no trace");
}

void add_free(CLI::App& app, Options& o) {
    CLI::App* verb = app.add_subcommand("free", "Threads that do anything, in any order");
    add_common(*verb, o);
    verb->add_option("--threads", o.config.threads, "Threads per node (2)")->check(CLI::Range(1, 2));
    verb->add_option("--operations", o.config.operations, "Reads and writes per thread (2)")
        ->check(CLI::Range(1u, kMaxOperations));
    verb->add_option("--pages", o.config.pages, "Pages (2)")->check(CLI::Range(1u, kMaxPages));
    verb->add_option("--changes", o.config.changes, "Changes of home's mapping (0)")
        ->check(CLI::Range(0u, kMaxOperations));
    verb->add_flag("!--no-symmetry", o.config.symmetry, "Tell remote nodes, pages and threads apart");
}

void add_litmus(CLI::App& app, Options& o) {
    CLI::App* verb = app.add_subcommand("litmus", "Given programs, with their threads on all nodes");
    add_common(*verb, o);
    verb->add_option("FILE", o.file, "TOML file with the programs")->required();
    verb->add_flag("!--no-histories", o.config.histories,
                   "Demand that each access finds the last write, instead of keeping what was seen");
    verb->add_option("--name", o.names, "Only the programs of these names");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Explores what threads on several nodes and pages can see.", "procshare-check-threads");
    Options options;
    app.require_subcommand(1);
    add_free(app, options);
    add_litmus(app, options);
    try {
        app.parse(argc, argv);
        bool good = app.got_subcommand("free") ? free_run(options) : litmus(options);
        return good != options.expect_violation ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) ? kUsageError : EXIT_SUCCESS;
    } catch (const std::exception& error) {
        fmt::print(stderr, "procshare-check-threads: {}\n", error.what());
        return kUsageError;
    }
}
