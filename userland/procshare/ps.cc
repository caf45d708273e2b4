// SPDX-License-Identifier: GPL-2.0-only
// procshare - ps: shared processes, their threads, where each runs and has run
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "control.hpp"
#include "output.hpp"
#include "table.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

using Align = Table::Align;

std::string seconds(std::uint64_t ns) {
    return fmt::format("{:.2f}", static_cast<double>(ns) / 1e9);
}

std::string text(const std::vector<Process>& processes) {
    Table table({{"PID"},
                 {"TID"},
                 {"NODE"},
                 {"HOME s"},
                 {"REMOTE s"},
                 {"POLICY", Align::left},
                 {"NAME", Align::left}});

    for (const Process& process : processes)
        for (const Thread& thread : process.threads)
            table.row({fmt::format("{}", process.pid), fmt::format("{}", thread.tid),
                       format_node(thread.node), seconds(thread.home_user_ns), seconds(thread.remote_user_ns),
                       format_policy(process.policy), thread.name});
    return table.text();
}

nlohmann::json json(const Process& process) {
    nlohmann::json threads = nlohmann::json::array();

    for (const Thread& thread : process.threads)
        threads.push_back({{"tid", thread.tid},
                           {"node", thread.node},
                           {"home_user_ns", thread.home_user_ns},
                           {"remote_user_ns", thread.remote_user_ns},
                           {"name", thread.name}});
    return {{"id", process.id},
            {"pid", process.pid},
            {"name", process.name},
            {"policy", format_policy(process.policy)},
            {"nodes", process.nodes ? format_node_set(process.nodes) : "all"},
            {"threads", threads}};
}

void ps(bool as_json) {
    const std::vector<Process> processes = Control().processes();

    if (!as_json) {
        fmt::print("{}", text(processes));
        return;
    }
    nlohmann::json all{{"schema", "procshare.ps/1"}, {"processes", nlohmann::json::array()}};
    for (const Process& process : processes)
        all["processes"].push_back(json(process));
    print_json(all);
}

} // namespace

void add_ps(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("ps", "Show shared processes, their threads and where each runs");
    auto as_json = std::make_shared<bool>(false);

    verb->add_flag("-j,--json", *as_json, "Print JSON");
    verb->callback([as_json] { ps(*as_json); });
}

} // namespace procshare
