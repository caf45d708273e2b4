// SPDX-License-Identifier: GPL-2.0-only
// procshare-sim - verbs: what the command can do
#pragma once

#include <fstream>
#include <string>

#include <CLI/CLI.hpp>

namespace procshare::simulator {

// Each adds its subcommand and what that needs.
void add_run(CLI::App& app);
void add_convert(CLI::App& app);
void add_measure(CLI::App& app);
void add_calibrate(CLI::App& app);

// Throws Error that says what to do.
std::ifstream open_file(const std::string& path);

} // namespace procshare::simulator
