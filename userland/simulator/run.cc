// SPDX-License-Identifier: GPL-2.0-only
// procshare-sim run - simulate a pattern or a trace
#include <fmt/format.h>

#include "engine.hpp"
#include "output.hpp"
#include "replay.hpp"
#include "verbs.hpp"

namespace procshare::simulator {
namespace {

struct RunOptions {
    PatternOptions pattern;
    EngineOptions engine;
    std::string trace;
    bool json = false;
};

std::unique_ptr<Workload> make_workload(const RunOptions& options) {
    if (options.trace.empty())
        return make_pattern(options.pattern);
    std::ifstream file = open_file(options.trace);
    return make_replay(read_trace(file, options.trace));
}

void run(const RunOptions& options) {
    const auto workload = make_workload(options);
    const Result result = simulate(*workload, options.engine);

    if (!options.json) {
        fmt::print("{}", format_result(result));
        return;
    }
    nlohmann::json json = json_result(result);
    json["workload"] = options.trace.empty() ? options.pattern.name : options.trace;
    print_json(json);
}

// An option in microseconds for something that is kept in nanoseconds.
void add_time(CLI::App& verb, const std::string& name, Nanoseconds& value, const std::string& help) {
    verb.add_option_function<double>(
            name, [&value](double us) { value = Nanoseconds(us * 1e3); },
            fmt::format("{} (us, {:g})", help, double(value) / 1e3))
        ->check(CLI::NonNegativeNumber)
        ->option_text("US");
}

std::string pattern_help() {
    std::string text = "How memory is shared:";
    for (const PatternName& pattern : pattern_names())
        text += fmt::format("\n{}: {}", pattern.name, pattern.help);
    return text;
}

} // namespace

void add_run(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("run", "Simulate a pattern or a trace");
    const auto options = std::make_shared<RunOptions>();
    RunOptions& o = *options;
    Costs& costs = o.engine.costs;

    verb->add_option("-p,--pattern", o.pattern.name, pattern_help())->option_text("NAME");
    verb->add_option("--trace", o.trace, "Repeat the faults of this file instead (see convert)")
        ->excludes("--pattern")
        ->option_text("FILE");
    verb->add_option("-n,--nodes", o.pattern.nodes, "Nodes, home included (4)")
        ->check(CLI::Range(2u, max_nodes))
        ->option_text("N");
    verb->add_option("-t,--threads", o.pattern.threads, "Threads per node (1)")
        ->check(CLI::Range(1, 256))
        ->option_text("N");
    verb->add_option("--pages", o.pattern.pages,
                     "Pages, per thread or shared by all, as the pattern goes (64)")
        ->check(CLI::Range(1, 1'000'000))
        ->option_text("N");
    verb->add_option("--operations", o.pattern.operations, "Accesses per thread (1000)")->option_text("N");
    add_time(*verb, "--think", o.pattern.think, "Mean computing time between two accesses");
    verb->add_option("--writes", o.pattern.writes, "Share of writes (the pattern's own)")
        ->check(CLI::Range(0.0, 1.0))
        ->option_text("SHARE");
    verb->add_option("--seed", o.pattern.seed, "Of the random numbers (1)")->option_text("N");
    verb->add_flag("--distributed", o.engine.distributed, "Home of page p is node p modulo nodes");
    add_time(*verb, "--latency", costs.link.latency, "Of the network, one way");
    verb->add_option("--bandwidth", costs.link.gigabits, "Of each node's link (Gbit/s, 10)")
        ->check(CLI::PositiveNumber)
        ->option_text("GBIT");
    add_time(*verb, "--service", costs.service, "Handling a message");
    add_time(*verb, "--sending", costs.sending, "Sending a message");
    add_time(*verb, "--copy", costs.copy, "Copying a page");
    add_time(*verb, "--trap", costs.trap, "From the access to the request");
    add_time(*verb, "--wake", costs.wake, "From the grant to the access");
    add_time(*verb, "--hold", costs.hold, "Minimum hold of a remote node");
    add_time(*verb, "--home-hold", costs.home_hold, "Minimum hold of home");
    verb->add_option("--servers", costs.servers, "Messages that a node handles at the same time (1)")
        ->check(CLI::Range(1, 256))
        ->option_text("N");
    verb->add_flag("-j,--json", o.json, "Print JSON");
    verb->callback([options] { run(*options); });
}

} // namespace procshare::simulator
