// SPDX-License-Identifier: GPL-2.0-only
// procshare - bench: what sharing costs, beside the raw round trip of the same run
//
// A benchmark runs inside a shared process: bench starts itself anew as one, with --inside, and reads
// what that measured from a pipe.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/inside.hpp"
#include "control.hpp"
#include "program.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

using bench::Result;
using bench::Task;

constexpr std::uint32_t small = 64; // bytes; a short message without a page
constexpr std::uint32_t page = 4096;
constexpr std::uint32_t raw_count = 1000;

struct Benchmark {
    const char* name;
    std::uint32_t raw_reply; // what it is compared to sends 64 bytes and gets so many back
    Result (*run)(const Task&);
};

constexpr std::array benchmarks{
    Benchmark{"read-fault", page, bench::read_fault}, Benchmark{"write-fault", page, bench::write_fault},
    Benchmark{"upgrade", small, bench::upgrade},      Benchmark{"getppid", small, bench::getppid},
    Benchmark{"migrate", small, bench::migrate},      Benchmark{"ping-pong", page, bench::ping_pong},
};

struct Options {
    std::string name;
    std::optional<std::string> node;
    std::size_t count = 1000;
    bool json = false;
    bool inside = false;
};

const Benchmark& find_benchmark(const std::string& name) {
    for (const Benchmark& benchmark : benchmarks)
        if (name == benchmark.name)
            return benchmark;
    throw Error("there is no benchmark '{}': see 'procshare bench --help'", name);
}

unsigned first_remote(Control& control) {
    for (const Node& node : control.nodes())
        if (node.state == PROCSHARE_NODE_UP)
            return node.id;
    throw Error("no other node is up: 'procshare node list' shows why");
}

nlohmann::json json_echo(const Echo& echo, std::uint32_t reply) {
    return {{"request", small},      {"reply", reply},
            {"min_ns", echo.min_ns}, {"median_ns", echo.median_ns},
            {"p99_ns", echo.p99_ns}, {"mean_ns", echo.mean_ns}};
}

// The part that runs inside the shared process.
void run_inside(const Options& options, Control& control, unsigned node) {
    const Task task{control, node, options.count};
    nlohmann::json json;

    if (options.name == "speedup") {
        const bench::SpeedupResult result = bench::speedup(task);
        json = {{"threads", result.threads},
                {"nodes", result.nodes},
                {"home_s", result.home_s},
                {"spread_s", result.spread_s},
                {"speedup", result.home_s / result.spread_s}};
    } else {
        const Result result = find_benchmark(options.name).run(task);
        json = {{"count", options.count}, {"median_ns", result.median_ns}, {"p99_ns", result.p99_ns}};
    }
    fmt::print("{}\n", json.dump());
}

// Starts this program anew as a shared process; what it measured.
nlohmann::json run_shared(const Options& options, unsigned node) {
    int ends[2];
    nlohmann::json result;

    if (pipe2(ends, O_CLOEXEC) != 0)
        throw Error("cannot make a pipe: {}", std::strerror(errno));
    const std::unique_ptr<std::FILE, decltype(&std::fclose)> output(fdopen(ends[0], "r"), std::fclose);
    const int status = run_child(
        [&] {
            dup2(ends[1], STDOUT_FILENO);
            Control().attach({PROCSHARE_POLICY_HOME}, 0);
            Program({"/proc/self/exe", "bench", options.name, "--inside", "--node", std::to_string(node),
                     "--count", std::to_string(options.count)})
                .execute();
        },
        [&] {
            close(ends[1]);
            result = nlohmann::json::parse(output.get(), nullptr, false);
        });
    if (status != EXIT_SUCCESS || !result.is_object())
        throw Error("the benchmark {} failed: it ended with status {}", options.name, status);
    return result;
}

void print(const Options& options, unsigned node, nlohmann::json json, const std::string& text) {
    if (!options.json) {
        fmt::print("{}", text);
        return;
    }
    json["schema"] = "procshare.bench/1";
    json["bench"] = options.name;
    json["node"] = node;
    fmt::print("{}\n", json.dump());
}

double microseconds(double ns) {
    return ns / 1e3;
}

void run_echo(const Options& options, Control& control, unsigned node) {
    const auto count = static_cast<std::uint32_t>(options.count);
    nlohmann::json json{{"count", count}, {"echo", nlohmann::json::array()}};
    std::string text;

    for (const std::uint32_t reply : {small, page}) {
        const Echo echo = control.echo(node, small, reply, count);
        json["echo"].push_back(json_echo(echo, reply));
        text += fmt::format(
            "echo, node {}, {} B out, {} B back: median {:.1f} us, p99 {:.1f} us, least {:.1f} us\n", node,
            small, reply, microseconds(echo.median_ns), microseconds(echo.p99_ns), microseconds(echo.min_ns));
    }
    print(options, node, json, text);
}

void run_speedup(const Options& options, unsigned node) {
    const nlohmann::json json = run_shared(options, node);

    print(options, node, json,
          fmt::format("speedup: {:.2f} times by {} nodes ({} threads: {:.2f} s at home, {:.2f} s spread)\n",
                      json["speedup"].get<double>(), json["nodes"].get<unsigned>(),
                      json["threads"].get<unsigned>(), json["home_s"].get<double>(),
                      json["spread_s"].get<double>()));
}

void run_compared(const Options& options, Control& control, unsigned node) {
    const Benchmark& benchmark = find_benchmark(options.name);
    const Echo raw = control.echo(node, small, benchmark.raw_reply, raw_count);
    nlohmann::json json = run_shared(options, node);
    const double median = json["median_ns"].get<double>();

    json["raw"] = json_echo(raw, benchmark.raw_reply);
    json["ratio"] = median / raw.median_ns;
    print(options, node, json,
          fmt::format("{}, node {}: median {:.1f} us, p99 {:.1f} us, {:.2f} times the raw round trip "
                      "({} B out, {} B back: median {:.1f} us)\n",
                      options.name, node, microseconds(median), microseconds(json["p99_ns"].get<double>()),
                      median / raw.median_ns, small, benchmark.raw_reply, microseconds(raw.median_ns)));
}

void run_bench(const Options& options) {
    Control control;
    const unsigned node = options.node ? parse_node(*options.node) : first_remote(control);

    if (options.inside)
        run_inside(options, control, node);
    else if (options.name == "echo")
        run_echo(options, control, node);
    else if (options.name == "speedup")
        run_speedup(options, node);
    else
        run_compared(options, control, node);
}

} // namespace

void add_bench(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("bench", "Measure what sharing costs, beside the raw round trip");
    auto options = std::make_shared<Options>();

    verb->add_option("NAME", options->name,
                     "echo, read-fault, write-fault, upgrade, getppid, migrate, ping-pong or speedup")
        ->required();
    verb->add_option("-N,--node", options->node, "Against which node (default: the first that is up)")
        ->option_text("N");
    verb->add_option("-c,--count", options->count, "How many samples to take (default: 1000)")
        ->check(CLI::Range(1, PROCSHARE_ECHO_COUNT_MAX))
        ->option_text("COUNT");
    verb->add_flag("-j,--json", options->json, "Print JSON");
    verb->add_flag("--inside", options->inside)->group(""); // hidden: see the top of this file
    verb->callback([options] { run_bench(*options); });
}

} // namespace procshare
