// SPDX-License-Identifier: GPL-2.0-only
// procshare - node: the node table
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cluster_file.hpp"
#include "control.hpp"
#include "output.hpp"
#include "table.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

using Align = Table::Align;

struct Place {
    std::string id;
    std::string address;
};

std::string text(const std::vector<Node>& nodes) {
    Table table(
        {{"NODE"}, {"STATE", Align::left}, {"ADDRESS", Align::left}, {"PORT"}, {"REASON", Align::left}});

    for (const Node& node : nodes)
        table.row({fmt::format("{}", node.id), std::string(format_state(node.state)), node.address.host(),
                   fmt::format("{}", node.address.port), node.reason});
    return table.text();
}

nlohmann::json json(const std::vector<Node>& nodes) {
    nlohmann::json all{{"schema", "procshare.nodes/1"}, {"nodes", nlohmann::json::array()}};

    for (const Node& node : nodes)
        all["nodes"].push_back({{"id", node.id},
                                {"state", format_state(node.state)},
                                {"address", node.address.host()},
                                {"port", node.address.port},
                                {"reason", node.reason}});
    return all;
}

void add_list(CLI::App& node) {
    CLI::App* verb = node.add_subcommand("list", "Show the node table");
    auto as_json = std::make_shared<bool>(false);

    verb->add_flag("-j,--json", *as_json, "Print JSON");
    verb->callback([as_json] {
        const std::vector<Node> nodes = Control().nodes();
        if (*as_json)
            print_json(json(nodes));
        else
            fmt::print("{}", text(nodes));
    });
}

std::shared_ptr<Place> add_place(CLI::App& verb, bool with_address) {
    auto place = std::make_shared<Place>();

    verb.add_option("ID", place->id, "Node number")->required();
    if (with_address)
        verb.add_option("ADDRESS", place->address, "Where it listens, with :PORT if not 7747")->required();
    return place;
}

ClusterNode parse_place(const Place& place) {
    return {parse_node(place.id), parse_address(place.address)};
}

void add_changes(CLI::App& node) {
    CLI::App* add = node.add_subcommand("add", "Add a node and connect to it");
    CLI::App* set = node.add_subcommand("set", "Change the address of a node");
    CLI::App* del = node.add_subcommand("del", "Remove a node");

    add->callback([arguments = add_place(*add, true)] {
        const ClusterNode node = parse_place(*arguments);
        Control().add(node.id, node.address);
    });
    set->callback([arguments = add_place(*set, true)] {
        const ClusterNode node = parse_place(*arguments);
        Control().set(node.id, node.address);
    });
    del->callback([arguments = add_place(*del, false)] {
        const unsigned id = parse_node(arguments->id);
        Control().del(id);
    });
}

} // namespace

void add_node(CLI::App& app) {
    CLI::App* node = app.add_subcommand("node", "Show or change the node table");

    node->callback([node] { require_verb(*node); });
    add_list(*node);
    add_changes(*node);
    add_node_join(*node);
    node->add_subcommand("leave", "Leave the cluster; shared processes end")->callback([] {
        Control().leave();
    });
}

} // namespace procshare
