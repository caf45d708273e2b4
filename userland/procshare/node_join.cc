// SPDX-License-Identifier: GPL-2.0-only
// procshare - node join: this machine enters the cluster that a file describes
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cluster_file.hpp"
#include "control.hpp"
#include "output.hpp"
#include "signal_block.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

using std::chrono::steady_clock;

struct Options {
    std::string config = "/etc/procshare/cluster.toml";
    std::optional<std::string> id;
    std::optional<std::string> wait; // seconds
};

unsigned parse_wait(std::string_view text) {
    unsigned seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);

    if (error != std::errc() || end != text.data() + text.size() || seconds == 0)
        throw Error("'{}' is not a number of seconds: write it as --wait=60", text);
    return seconds;
}

void leave_quietly(Control& control) {
    try {
        control.leave();
    } catch (...) {
        // Why it could not join says more.
    }
}

// All of it or nothing: a node that knows half of its cluster helps nobody.
void join(Control& control, const ClusterFile& file, const ClusterNode& self) {
    const SignalBlock block;

    control.join(self.id, self.address, file.key);
    try {
        for (const ClusterNode& node : file.nodes)
            if (node.id != self.id)
                control.add(node.id, node.address);
    } catch (...) {
        leave_quietly(control);
        throw;
    }
}

std::vector<Node> missing_nodes(Control& control) {
    std::vector<Node> missing = control.nodes();

    std::erase_if(missing, [](const Node& node) {
        return node.state == PROCSHARE_NODE_SELF || node.state == PROCSHARE_NODE_UP;
    });
    return missing;
}

std::string describe(const std::vector<Node>& missing) {
    std::string text;

    for (const Node& node : missing)
        text += fmt::format("{}node {} ({}) {}", text.empty() ? "" : ", ", node.id, node.address.host(),
                            node.reason.empty() ? format_state(node.state) : node.reason);
    return text;
}

void show_progress(std::size_t up, std::size_t all, bool last) {
    if (isatty(STDERR_FILENO))
        fmt::print(stderr, "\r{} of {} nodes up{}", up, all, last ? "\n" : "");
}

void wait_for_all(Control& control, std::size_t all, unsigned limit_s) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(limit_s);

    for (;;) {
        const std::vector<Node> missing = missing_nodes(control);
        const bool over = steady_clock::now() >= deadline;
        show_progress(all - missing.size(), all, missing.empty() || over);
        if (missing.empty())
            return;
        if (over)
            throw Error("not all nodes are up after {} s: {}: check that each has joined with the same key; "
                        "this one stays joined and goes on dialling",
                        limit_s, describe(missing));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

void enter(const Options& options) {
    const unsigned wait_s = options.wait ? parse_wait(*options.wait) : 0;
    const ClusterFile file = read_cluster_file(options.config);
    const auto id = options.id ? std::optional(parse_node(*options.id)) : std::nullopt;
    const ClusterNode& self = file.self(id, local_addresses());
    Control control;

    if (!file.exposed_key.empty())
        complain(fmt::format("others can read the cluster key: chmod 600 {}", file.exposed_key));
    join(control, file, self);
    if (wait_s)
        wait_for_all(control, file.nodes.size(), wait_s);
}

} // namespace

void add_node_join(CLI::App& node) {
    CLI::App* verb = node.add_subcommand("join", "Enter the cluster that a file describes");
    auto options = std::make_shared<Options>();

    verb->add_option("-c,--config", options->config, "Cluster file (default: /etc/procshare/cluster.toml)")
        ->option_text("FILE");
    verb->add_option("--id", options->id, "This machine's node (default: the one with an address of its own)")
        ->option_text("N");
    verb->add_flag("--wait{30}", options->wait, "Until all nodes are up, at most SECONDS (default: 30)")
        ->option_text("[=SECONDS]");
    verb->callback([options] { enter(*options); });
}

} // namespace procshare
