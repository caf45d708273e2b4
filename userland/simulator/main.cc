// SPDX-License-Identifier: GPL-2.0-only
// procshare-sim - simulate the page coherence protocol with many nodes
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "engine.hpp"
#include "error.hpp"
#include "ftrace.hpp"
#include "trace.hpp"

namespace {

using namespace procshare;
using namespace procshare::simulator;

constexpr int usage_error = 2;

struct RunOptions {
    PatternOptions pattern;
    EngineOptions engine;
    std::string trace;
    bool json = false;
};

struct ConvertCommand {
    std::vector<std::string> files;
    std::string output;
    ConvertOptions options;
    bool align = false;
};

std::ifstream open_file(const std::string& path) {
    std::ifstream file(path);
    if (!file)
        throw Error("cannot read {}: does it exist?", path);
    return file;
}

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
    fmt::print("{}\n", json.dump());
}

// For nodes whose clocks have nothing to do with each other.
void start_at_zero(std::vector<Fault>& faults) {
    Nanoseconds first = 0;
    for (bool any = false; const Fault& f : faults) {
        first = any ? std::min(first, f.time) : f.time;
        any = true;
    }
    for (Fault& f : faults)
        f.time -= first;
}

void convert(const ConvertCommand& command) {
    std::vector<Fault> faults;
    for (const std::string& path : command.files) {
        std::ifstream file = open_file(path);
        std::vector<Fault> some = read_ftrace(file, path, command.options);
        if (command.align)
            start_at_zero(some);
        faults.insert(faults.end(), some.begin(), some.end());
    }
    std::ranges::sort(faults);
    if (command.output.empty())
        return write_trace(std::cout, faults);
    std::ofstream file(command.output);
    write_trace(file, faults);
    if (!file.flush())
        throw Error("cannot write {}: is there room?", command.output);
}

// An option in microseconds for something that is kept in nanoseconds.
void add_time(CLI::App& verb, const std::string& name, Nanoseconds& value, const std::string& help) {
    verb.add_option_function<double>(
            name, [&value](double us) { value = Nanoseconds(us * 1e3); },
            fmt::format("{} (us, {:g})", help, double(value) / 1e3))
        ->check(CLI::NonNegativeNumber)
        ->option_text("US");
}

// As the trace events print it: 0x100000007.
std::uint64_t parse_id(const std::string& text) {
    std::size_t end = 0;
    std::uint64_t id = 0;
    try {
        id = std::stoull(text, &end, 0);
    } catch (const std::exception&) {
    }
    if (end != text.size() || !id)
        throw CLI::ValidationError("--process", fmt::format("'{}' is not the id of a shared process", text));
    return id;
}

std::string pattern_help() {
    std::string text = "How memory is shared:";
    for (const PatternName& pattern : pattern_names())
        text += fmt::format("\n{}: {}", pattern.name, pattern.help);
    return text;
}

void add_run(CLI::App& app, RunOptions& o) {
    CLI::App* verb = app.add_subcommand("run", "Simulate a pattern or a trace");
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
    verb->callback([&o] { run(o); });
}

void add_convert(CLI::App& app, ConvertCommand& c) {
    CLI::App* verb = app.add_subcommand("convert", "Make a trace out of the kernel's trace events");

    verb->add_option("FILE", c.files, "Output of tracefs or trace-cmd report, of each node")->required();
    verb->add_option("-o,--output", c.output, "Where to write the trace (standard output)")
        ->option_text("FILE");
    verb->add_option_function<std::string>(
            "--process", [&c](const std::string& text) { c.options.process = parse_id(text); },
            "Only this shared process, as the events name it")
        ->option_text("ID");
    verb->add_flag("--align", c.align, "Each file's first fault is at time 0: the nodes' clocks differ");
    verb->callback([&c] { convert(c); });
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulates the page coherence protocol: the kernel's machines, many nodes.",
                 "procshare-sim");
    RunOptions run_options;
    ConvertCommand convert_command;

    app.require_subcommand(1);
    app.set_version_flag("--version", PROCSHARE_VERSION);
    add_run(app, run_options);
    add_convert(app, convert_command);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == EXIT_SUCCESS)
            return app.exit(error);
        fmt::print(stderr, "procshare-sim: {}: see 'procshare-sim --help'\n", error.what());
        return usage_error;
    } catch (const std::exception& error) {
        fmt::print(stderr, "procshare-sim: {}\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
