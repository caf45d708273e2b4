// SPDX-License-Identifier: GPL-2.0-only
// procshare - finding and starting a program as shells, env and timeout do
#pragma once

#include <string>
#include <vector>

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

} // namespace procshare
