// SPDX-License-Identifier: GPL-2.0-only
// procshare - a program in a child process, watched as shells watch theirs
#pragma once

#include <functional>

namespace procshare {

// Runs @child in a new process, stays out of its way as a shell would, passes signals on to it, and
// stops while it is stopped.  @meanwhile runs in the parent as soon as the child exists.  How the child
// ended, as wait(2) says it.
int run_child(const std::function<void()>& child, const std::function<void()>& meanwhile);

// The child's exit status, 128 + signal if that killed it.
int exit_status(int ending);

// Does not return if SIGINT or SIGQUIT killed the child: a loop of a shell around this command goes on
// unless that kills this process, too.
void follow_interrupt(int ending);

} // namespace procshare
