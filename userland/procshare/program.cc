// SPDX-License-Identifier: GPL-2.0-only
#include "program.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

namespace procshare {
namespace {

bool is_program(const std::string& path) {
    struct stat status {};

    if (access(path.c_str(), X_OK) != 0 || stat(path.c_str(), &status) != 0)
        return false;
    if (S_ISREG(status.st_mode))
        return true;
    errno = EACCES;
    return false;
}

[[noreturn]] void fail(const std::string& name, int error) {
    const int status = error == ENOENT || error == ENOTDIR ? run_not_found : run_not_executable;

    if (status == run_not_found && name.find('/') == std::string::npos)
        throw StartError(status, fmt::format("'{}' was not found in PATH: give its full path", name));
    throw StartError(status, fmt::format("cannot execute '{}': {}", name, std::strerror(error)));
}

// As execvp: a file that exists but may not be executed is remembered, the search goes on.
std::string search(const std::string& name) {
    const char* variable = std::getenv("PATH");
    std::string path = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
    int error = ENOENT;

    for (path += ':'; !path.empty(); path.erase(0, path.find(':') + 1)) {
        const std::string directory = path.substr(0, path.find(':'));
        const std::string candidate = directory.empty() ? name : directory + "/" + name;
        if (is_program(candidate))
            return candidate;
        if (errno != ENOENT && errno != ENOTDIR)
            error = errno;
    }
    fail(name, error);
}

std::string find(const std::string& name) {
    if (name.find('/') == std::string::npos)
        return search(name);
    if (!is_program(name))
        fail(name, errno);
    return name;
}

} // namespace

Program::Program(const std::vector<std::string>& command) : path_(find(command.front())), command_(command) {}

void Program::execute() const {
    std::vector<char*> arguments;

    for (const std::string& argument : command_)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execvp(path_.c_str(), arguments.data());
    fail(command_.front(), errno);
}

} // namespace procshare
