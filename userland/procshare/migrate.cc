// SPDX-License-Identifier: GPL-2.0-only
// procshare - migrate: moves a thread or all threads of a shared process
#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include "control.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

struct Options {
    std::string target;
    std::string node;
};

int parse_id(std::string_view text, std::string_view what) {
    int id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);

    if (error != std::errc() || end != text.data() + text.size() || id < 1)
        throw Error("'{}' is not a {} id: 'procshare ps' shows them", text, what);
    return id;
}

void migrate(const Options& options) {
    const std::string_view target = options.target;
    const auto slash = target.find('/');
    const int pid = parse_id(target.substr(0, slash), "process");
    const int tid = slash == std::string_view::npos ? 0 : parse_id(target.substr(slash + 1), "thread");
    const unsigned node = parse_node(options.node, true);

    Control().migrate(pid, tid, node);
}

} // namespace

void add_migrate(CLI::App& app) {
    CLI::App* verb = app.add_subcommand("migrate", "Move a thread or all threads of a shared process");
    auto options = std::make_shared<Options>();

    verb->add_option("PID[/TID]", options->target, "A process, or one thread of it")->required();
    verb->add_option("NODE", options->node, "Node number or home")->required();
    verb->callback([options] { migrate(*options); });
}

} // namespace procshare
