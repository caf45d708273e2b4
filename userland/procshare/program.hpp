// SPDX-License-Identifier: GPL-2.0-only
// procshare - starting and watching a program as shells, env and timeout do
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "error.hpp"

namespace procshare {

// Exit statuses of a command that runs another, as those of env, nohup and timeout.
constexpr int run_failed = 125;
constexpr int run_not_executable = 126;
constexpr int run_not_found = 127;

// A program that cannot be started; @status is one of the above.
class StartError : public Error {
public:
    StartError(int status, const std::string& text) : Error(text), status(status) {}
    const int status;
};

class Program {
public:
    // Looks the program up in PATH.  Throws StartError if it cannot be executed.
    explicit Program(const std::vector<std::string>& command);

    // Does not return.  Throws StartError.
    [[noreturn]] void execute() const;

private:
    std::string path_;
    std::vector<std::string> command_;
};

// Runs @child in a new process, stays out of its way as a shell would, and passes signals on to it.
// @meanwhile runs in the parent as soon as the child exists.  The exit status is the child's, 128 +
// signal if that killed it.
int run_child(const std::function<void()>& child, const std::function<void()>& meanwhile);

} // namespace procshare
