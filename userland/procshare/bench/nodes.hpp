// SPDX-License-Identifier: GPL-2.0-only
// procshare - the nodes that a benchmark may use
#pragma once

#include <vector>

#include "inside.hpp"

namespace procshare::bench {

// Those of task.nodes that are up, home included, in the order of their ids.
std::vector<unsigned> usable_nodes(const Task& task);
// Where each of the threads runs that want the same: as many on one node as on another.
std::vector<unsigned> places(const Task& task);
// The same without home and task.node.  Throws Error if there is none: a third node is needed.
std::vector<unsigned> other_nodes(const Task& task);

// Runs work(i) in a thread on nodes[i], all at the same time; how many seconds it took.
double run_on_all(Control& control, const std::vector<unsigned>& nodes,
                  const std::function<void(std::size_t)>& work);

} // namespace procshare::bench
