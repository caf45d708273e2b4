// SPDX-License-Identifier: GPL-2.0-only
// procshare - the verbs of the command, one file each
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace procshare {

// Each adds its verb to @app, to be done when the command line names it.
// Takes the program and its arguments off @arguments; @status becomes the program's.
void add_run(CLI::App& app, std::vector<std::string>& arguments, int& status);
void add_migrate(CLI::App& app);
void add_ps(CLI::App& app);
void add_node(CLI::App& app);
void add_stat(CLI::App& app);
void add_bench(CLI::App& app);
// Of the verb node.
void add_node_join(CLI::App& node);

inline void require_verb(const CLI::App& app) {
    if (app.get_subcommands().empty())
        throw CLI::RequiredError("a verb");
}

} // namespace procshare
