// SPDX-License-Identifier: GPL-2.0-only
// procshare-sim convert, measure, calibrate - what becomes of the events of a real run
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "calibrate.hpp"
#include "error.hpp"
#include "output.hpp"
#include "recording.hpp"
#include "verbs.hpp"

namespace procshare::simulator {
namespace {

struct Options {
    std::vector<std::string> files;
    std::string output;
    std::uint64_t process = 0; // 0: the only one
    bool align = false;
    bool json = false;
};

NodeEvents read_nodes(const Options& options) {
    NodeEvents nodes;
    for (const std::string& path : options.files) {
        std::ifstream file = open_file(path);
        nodes.push_back(read_ftrace(file, path));
    }
    if (options.align)
        set_clocks(nodes);
    if (options.process)
        only_process(nodes, options.process);
    return nodes;
}

void convert(const Options& options) {
    const Recording recording = make_recording(read_nodes(options));

    if (recording.refused)
        fmt::print(stderr, "procshare-sim: left out {} faults that home has refused\n", recording.refused);
    if (options.output.empty())
        return write_trace(std::cout, recording.requests);
    std::ofstream file(options.output);
    write_trace(file, recording.requests);
    if (!file.flush())
        throw Error("cannot write {}: is there room?", options.output);
}

void measure(const Options& options) {
    const Result measured = make_recording(read_nodes(options)).measured;

    if (options.json)
        print_json(json_result(measured));
    else
        fmt::print("{} nodes: {}", measured.nodes, format_faults(measured));
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

std::shared_ptr<Options> add_files(CLI::App* verb) {
    const auto options = std::make_shared<Options>();
    verb->add_option("FILE", options->files,
                     "Output of tracefs or trace-cmd report, of each node, home first")
        ->required();
    verb->add_flag("--align", options->align, "The nodes' clocks differ: compare them by their messages");
    return options;
}

void add_process(CLI::App* verb, Options& options) {
    verb->add_option_function<std::string>(
            "--process", [&options](const std::string& text) { options.process = parse_id(text); },
            "This shared process, as the events name it")
        ->option_text("ID");
}

} // namespace

void add_convert(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("convert", "Make a trace out of the kernel's trace events");
    const auto options = add_files(verb);
    add_process(verb, *options);
    verb->add_option("-o,--output", options->output, "Where to write the trace (standard output)")
        ->option_text("FILE");
    verb->callback([options] { convert(*options); });
}

void add_measure(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("measure", "Say of the real run what run says of a simulated one");
    const auto options = add_files(verb);
    add_process(verb, *options);
    verb->add_flag("-j,--json", options->json, "Print JSON");
    verb->callback([options] { measure(*options); });
}

void add_calibrate(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("calibrate", "Print the costs of a real run, as options for run");
    const auto options = add_files(verb);
    verb->callback([options] { fmt::print("{}\n", format_costs(calibrate(read_nodes(*options)))); });
}

} // namespace procshare::simulator
