// SPDX-License-Identifier: GPL-2.0-only
// procshare - replay: a trace as a workload
#pragma once

#include <memory>
#include <vector>

#include "trace.hpp"

namespace procshare::simulator {

// Each thread repeats its faults in order and computes in between for as long as it did; what it asked for
// ahead during a fault it asks for together with it.  Who touched a page after another node was done with it
// does so here, too; who had to wait because another one came first, waits.  Nodes keep their numbers, pages
// get small ones.  Throws Error if there is nothing in it.
std::unique_ptr<Workload> make_replay(std::vector<Request> requests);

} // namespace procshare::simulator
