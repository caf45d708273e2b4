// SPDX-License-Identifier: GPL-2.0-only
#include "child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.hpp"
#include "program.hpp"
#include "signal_block.hpp"

namespace procshare {
namespace {

volatile pid_t child_pid; // 0: there is none

// The terminal and the kernel tell the child themselves: it is in the same process group.
void forward(int signal, siginfo_t* info, void*) {
    const int before = errno;

    if (child_pid && info->si_code <= 0)
        kill(child_pid, signal);
    errno = before;
}

void forward_signals(std::initializer_list<int> signals) {
    struct sigaction action {};

    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    action.sa_sigaction = forward;
    for (const int signal : signals)
        sigaction(signal, &action, nullptr);
}

// How SIGCHLD was handled before.  Where it is ignored nobody can wait for a child.
struct sigaction expect_child() {
    struct sigaction action {};
    struct sigaction before {};

    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, &before);
    return before;
}

[[noreturn]] void run_in_child(const std::function<void()>& child) {
    int status = run_failed;

    try {
        child();
    } catch (const StartError& error) {
        status = error.status;
        complain(error.what());
    } catch (const std::exception& error) {
        complain(error.what());
    }
    _exit(status);
}

// What has become of @pid.  It is not reaped: until then its id is nobody else's.
int next_change(pid_t pid) {
    siginfo_t info{};

    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOWAIT) != 0)
        if (errno != EINTR)
            throw Error("cannot wait for the program: {}", std::strerror(errno));
    return info.si_code;
}

// By the terminal, or by the program as if it was that.  SIGSTOP is from somebody who is going to end the
// stop, and knows of the program only.
bool is_stopped_as_job(pid_t pid) {
    siginfo_t info{};

    if (waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG) != 0 || info.si_pid != pid)
        return false;
    return info.si_status == SIGTSTP || info.si_status == SIGTTIN || info.si_status == SIGTTOU;
}

// A shell sees a job stop, and lets it go on, by this process.
void stop_with(pid_t pid) {
    raise(SIGSTOP);
    kill(pid, SIGCONT);
}

int wait_for(pid_t pid) {
    int ending = 0;

    // Whether Ctrl-Z stops this process, too, is for the child to decide.
    forward_signals({SIGTSTP});
    while (next_change(pid) == CLD_STOPPED)
        // What stopped the whole process group has stopped this process already, and it goes on with all.
        if (is_stopped_as_job(pid))
            stop_with(pid);
    child_pid = 0;
    waitpid(pid, &ending, 0);
    return ending;
}

} // namespace

int run_child(const std::function<void()>& child, const std::function<void()>& meanwhile) {
    // No signal may arrive between fork and the moment its handling is arranged.
    const SignalBlock block;
    const struct sigaction inherited = expect_child();

    child_pid = fork();
    if (child_pid < 0)
        throw Error("cannot make a process: {}", std::strerror(errno));
    if (child_pid == 0) {
        sigaction(SIGCHLD, &inherited, nullptr);
        block.end();
        run_in_child(child);
    }
    forward_signals({SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH});
    block.end();
    meanwhile();
    return wait_for(child_pid);
}

int exit_status(int ending) {
    return WIFSIGNALED(ending) ? 128 + WTERMSIG(ending) : WEXITSTATUS(ending);
}

void follow_interrupt(int ending) {
    const int signal = WIFSIGNALED(ending) ? WTERMSIG(ending) : 0;

    if (signal != SIGINT && signal != SIGQUIT)
        return;
    prctl(PR_SET_DUMPABLE, 0); // a core file is the program's matter
    std::signal(signal, SIG_DFL);
    raise(signal);
}

} // namespace procshare
