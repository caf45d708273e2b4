// SPDX-License-Identifier: GPL-2.0-only
// procshare - bench: what sharing costs, beside the raw round trip of the same run
//
// A benchmark runs inside a shared process: bench starts itself anew as one, with --inside, and reads
// what that measured from a pipe.
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/raw.hpp"
#include "bench/table.hpp"
#include "child.hpp"
#include "control.hpp"
#include "output.hpp"
#include "program.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

using bench::Benchmark;
using bench::Raw;
using bench::Result;

constexpr std::size_t raw_count = 1000;
constexpr int most_threads = 64; // false-sharing has their words on one page

struct Options {
    std::string name;
    std::optional<std::string> node;
    std::size_t count = 0;   // samples; 0: as many as the benchmark likes
    std::string nodes;       // empty: all
    std::size_t threads = 0; // 0: one on each node
    bool json = false;
    bool inside = false;
};

const Benchmark& find_benchmark(const std::string& name) {
    if (const Benchmark* const benchmark = bench::find_benchmark(name))
        return *benchmark;
    throw Error("there is no benchmark '{}': choose one of {}", name, bench::benchmark_names());
}

unsigned first_remote(Control& control) {
    for (const Node& node : control.nodes())
        if (node.state == PROCSHARE_NODE_UP)
            return node.id;
    throw Error("no other node is up: 'procshare node list' shows why");
}

// Numbers of things without a fraction.
nlohmann::json json_number(double value) {
    if (value == std::floor(value) && std::abs(value) < 1e15)
        return static_cast<std::int64_t>(value);
    return value;
}

// The part that runs inside the shared process.
void run_inside(const Options& options, Control& control, unsigned node) {
    const NodeSet nodes = options.nodes.empty() ? 0 : parse_node_set(options.nodes, control.known_nodes());
    const Result result =
        find_benchmark(options.name).run({control, node, options.count, nodes, options.threads});
    nlohmann::json json{{"count", options.count}, {"figures", nlohmann::json::object()}};

    if (result.median_ns > 0) {
        json["median_ns"] = result.median_ns;
        json["p99_ns"] = result.p99_ns;
    }
    for (const bench::Figure& figure : result.figures)
        json["figures"][figure.name] = json_number(figure.value);
    print_json(json);
}

std::vector<std::string> inside_command(const Options& options, unsigned node, std::size_t count) {
    std::vector<std::string> command{"/proc/self/exe", "bench", options.name};

    command.insert(command.end(), {"--inside", "--node", std::to_string(node)});
    command.insert(command.end(), {"--count", std::to_string(count)});

    if (!options.nodes.empty())
        command.insert(command.end(), {"--nodes", options.nodes});
    if (options.threads)
        command.insert(command.end(), {"--threads", std::to_string(options.threads)});
    return command;
}

// Starts this program anew as a shared process; what it measured.
nlohmann::json run_shared(const Options& options, unsigned node, std::size_t count) {
    int ends[2];
    nlohmann::json result;
    const std::vector<std::string> command = inside_command(options, node, count);

    if (pipe2(ends, O_CLOEXEC) != 0)
        throw Error("cannot make a pipe: {}", std::strerror(errno));
    const std::unique_ptr<std::FILE, decltype(&std::fclose)> output(fdopen(ends[0], "r"), std::fclose);
    const int ending = run_child(
        [&] {
            dup2(ends[1], STDOUT_FILENO);
            Control().attach({PROCSHARE_POLICY_HOME}, 0);
            Program(command).execute();
        },
        [&] {
            close(ends[1]);
            result = nlohmann::json::parse(output.get(), nullptr, false);
        });
    follow_interrupt(ending);
    if (exit_status(ending) != EXIT_SUCCESS || !result.is_object())
        throw Error("the benchmark {} failed: it ended with status {}", options.name, exit_status(ending));
    return result;
}

void print(const Options& options, unsigned node, nlohmann::json json, const std::string& text) {
    if (!options.json) {
        fmt::print("{}", text);
        return;
    }
    json["schema"] = "procshare.bench/2";
    json["bench"] = options.name;
    json["node"] = node;
    print_json(json);
}

void run_echo(const Options& options, Control& control, unsigned node) {
    const std::size_t count = options.count ? options.count : raw_count;
    nlohmann::json json{{"count", count}, {"echo", nlohmann::json::array()}};
    std::string text;

    for (const Raw raw : {Raw::small, Raw::page}) {
        const nlohmann::json echo = bench::round_trips(control, node, raw, count);
        text += fmt::format("echo, node {}, {}, p99 {:.1f} us, least {:.1f} us\n", node,
                            bench::format_round_trip(echo), echo["p99_ns"].get<double>() / 1e3,
                            echo["min_ns"].get<double>() / 1e3);
        json["echo"].push_back(echo);
    }
    json["bulk"] = bench::bulk(control, node, count);
    text += fmt::format("echo, node {}, {}\n", node, bench::format_bulk(json["bulk"]));
    print(options, node, json, text);
}

// Adds members "raw" and "ratio" of what was measured in "json".
void compare(nlohmann::json& json, const nlohmann::json& raw, Raw kind) {
    if (kind == Raw::bulk)
        json["ratio"] = json["figures"]["bytes_per_s"].get<double>() / raw["bytes_per_s"].get<double>();
    else
        json["ratio"] = json.value("median_ns", 0.0) / raw["median_ns"].get<double>();
    json["raw"] = raw;
}

std::string format_comparison(const nlohmann::json& json, Raw kind) {
    const double ratio = json["ratio"].get<double>();

    if (kind == Raw::bulk)
        return fmt::format("{:.2f} times the raw rate ({})", ratio, bench::format_bulk(json["raw"]));
    return fmt::format("{:.2f} times the raw round trip ({})", ratio, bench::format_round_trip(json["raw"]));
}

std::string format_figures(const nlohmann::json& figures) {
    std::string text;

    for (const auto& [name, value] : figures.items())
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name,
                            value.is_number_integer() ? value.dump()
                                                      : fmt::format("{:.2f}", value.get<double>()));
    return text;
}

std::string format_result(const Options& options, unsigned node, const nlohmann::json& json, Raw kind) {
    const std::string figures = format_figures(json["figures"]);
    std::string text;

    if (json.contains("median_ns"))
        text = fmt::format("median {:.1f} us, p99 {:.1f} us", json["median_ns"].get<double>() / 1e3,
                           json["p99_ns"].get<double>() / 1e3);
    if (json.contains("ratio"))
        text += (text.empty() ? "" : ", ") + format_comparison(json, kind);
    if (!figures.empty())
        text += (text.empty() ? "" : "; ") + figures;
    return fmt::format("{}, node {}: {}\n", options.name, node, text);
}

void run_benchmark(const Options& options, Control& control, unsigned node) {
    const Benchmark& benchmark = find_benchmark(options.name);
    const std::size_t count = options.count ? options.count : benchmark.count;
    nlohmann::json raw;

    if (benchmark.raw == Raw::bulk)
        raw = bench::bulk(control, node, PROCSHARE_ECHO_COUNT_MAX);
    else if (benchmark.raw != Raw::none)
        raw = bench::round_trips(control, node, benchmark.raw, raw_count);
    nlohmann::json json = run_shared(options, node, count);
    if (!raw.is_null())
        compare(json, raw, benchmark.raw);
    print(options, node, json, format_result(options, node, json, benchmark.raw));
}

void run_bench(const Options& options) {
    if (options.name != "echo")
        find_benchmark(options.name); // before anything else can be wrong
    Control control;
    const unsigned node = options.node ? parse_node(*options.node) : first_remote(control);

    if (options.inside)
        run_inside(options, control, node);
    else if (options.name == "echo")
        run_echo(options, control, node);
    else
        run_benchmark(options, control, node);
}

} // namespace

void add_bench(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("bench", "Measure what sharing costs, beside the raw round trip");
    auto options = std::make_shared<Options>();

    verb->add_option("NAME", options->name, "One of " + bench::benchmark_names())->required();
    verb->add_option("-N,--node", options->node, "Against which node (default: the first that is up)")
        ->option_text("N");
    verb->add_option("-c,--count", options->count,
                     "How many samples to take (default: 1000, or what the benchmark needs)")
        ->check(CLI::Range(1, PROCSHARE_ECHO_COUNT_MAX))
        ->option_text("COUNT");
    verb->add_option("-n,--nodes", options->nodes,
                     "Nodes for threads that work together, as in 0,2-4 or !3 or all (default: all)")
        ->option_text("SET");
    verb->add_option("-t,--threads", options->threads,
                     "How many threads want the same, spread over the nodes (default: one on each)")
        ->check(CLI::Range(1, most_threads))
        ->option_text("COUNT");
    verb->add_flag("-j,--json", options->json, "Print JSON");
    verb->add_flag("--inside", options->inside)->group(""); // hidden: see the top of this file
    verb->callback([options] { run_bench(*options); });
}

} // namespace procshare
