// SPDX-License-Identifier: GPL-2.0-only
// procshare - stat: counters of shared processes and of the links between nodes
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "control.hpp"
#include "output.hpp"
#include "table.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

struct Options {
    std::optional<unsigned> pid;
    bool json = false;
};

// Of the process @pid, or of all together.
Statistics collect(Control& control, std::optional<unsigned> pid) {
    Statistics sum;
    bool found = false;

    for (const Process& process : control.processes()) {
        if (pid && *pid != process.pid)
            continue;
        sum.add(process.statistics);
        found = true;
    }
    if (pid && !found)
        throw Error("{} is not a shared process of yours: 'procshare ps' shows those there are", *pid);
    return sum;
}

std::string format_links(const std::vector<Node>& nodes) {
    Table table({{"link to"}, {"messages out"}, {"messages in"}, {"bytes out"}, {"bytes in"}});

    for (const Node& node : nodes)
        if (node.state == PROCSHARE_NODE_UP)
            table.row({fmt::format("{}", node.id), fmt::format("{}", node.messages_out),
                       fmt::format("{}", node.messages_in), fmt::format("{}", node.bytes_out),
                       fmt::format("{}", node.bytes_in)});
    return table.text();
}

nlohmann::json json_links(const std::vector<Node>& nodes) {
    nlohmann::json links = nlohmann::json::array();

    for (const Node& node : nodes)
        if (node.state == PROCSHARE_NODE_UP)
            links.push_back({{"node", node.id},
                             {"messages_out", node.messages_out},
                             {"messages_in", node.messages_in},
                             {"bytes_out", node.bytes_out},
                             {"bytes_in", node.bytes_in}});
    return links;
}

void stat(const Options& options) {
    Control control;
    const unsigned home = control.self();
    const Statistics statistics = collect(control, options.pid);

    if (options.json) {
        nlohmann::json json = json_statistics(statistics, home);
        json["schema"] = "procshare.stat/1";
        if (options.pid)
            json["pid"] = *options.pid;
        else
            json["links"] = json_links(control.nodes());
        print_json(json);
        return;
    }
    fmt::print("{}", format_statistics(statistics, home));
    if (!options.pid)
        fmt::print("\n{}", format_links(control.nodes()));
}

} // namespace

void add_stat(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("stat", "Show counters, per node");
    auto options = std::make_shared<Options>();

    verb->add_option("PID", options->pid, "One shared process (default: all of them, and the links)");
    verb->add_flag("-j,--json", options->json, "Print JSON");
    verb->callback([options] { stat(*options); });
}

} // namespace procshare
