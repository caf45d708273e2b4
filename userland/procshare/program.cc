// SPDX-License-Identifier: GPL-2.0-only
#include "program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <sys/stat.h>
#include <sys/wait.h>
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

constexpr std::array forwarded_signals{SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};
constexpr std::array ignored_signals{SIGINT, SIGQUIT};

volatile pid_t child_pid;

// The terminal and the kernel tell the child themselves: it is in the same process group.
void forward(int signal, siginfo_t* info, void*) {
    if (info->si_code <= 0)
        kill(child_pid, signal);
}

void arrange_signals() {
    struct sigaction action {};

    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    action.sa_sigaction = forward;
    for (const int signal : forwarded_signals)
        sigaction(signal, &action, nullptr);
    action.sa_flags = 0;
    action.sa_handler = SIG_IGN;
    for (const int signal : ignored_signals)
        sigaction(signal, &action, nullptr);
}

[[noreturn]] void run_in_child(const std::function<void()>& child) {
    int status = run_failed;

    try {
        child();
    } catch (const StartError& error) {
        status = error.status;
        fmt::print(stderr, "procshare: {}\n", error.what());
    } catch (const std::exception& error) {
        fmt::print(stderr, "procshare: {}\n", error.what());
    }
    _exit(status);
}

int wait_for(pid_t pid) {
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            throw Error("cannot wait for the program: {}", std::strerror(errno));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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

int run_child(const std::function<void()>& child, const std::function<void()>& meanwhile) {
    sigset_t all;
    sigset_t before;

    // No signal may arrive between fork and the moment its handling is arranged.
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &before, nullptr);
        run_in_child(child);
    }
    if (pid > 0) {
        child_pid = pid;
        arrange_signals();
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0)
        throw Error("cannot make a process: {}", std::strerror(errno));
    meanwhile();
    return wait_for(pid);
}

} // namespace procshare
