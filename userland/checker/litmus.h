// SPDX-License-Identifier: GPL-2.0-only
//
// Litmus programs: read from a file, placed on the nodes in every way.
#pragma once

#include <string>
#include <vector>

#include "program.h"

namespace procshare::checker {

// All programs of the TOML file @path, every thread at home.  Throws
// std::runtime_error, one line, if there is none or something is wrong with it.
std::vector<Program> read_litmus(const std::string& path);

// @program with its threads on home and @remotes remote nodes in all ways that
// differ by more than the names of the remote nodes.
std::vector<Program> placements(const Program& program, unsigned remotes);

// The nodes of the threads: "0 1 1".
std::string describe_placement(const Program& program);

} // namespace procshare::checker
