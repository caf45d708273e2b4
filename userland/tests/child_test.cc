// SPDX-License-Identifier: GPL-2.0-only
#include "child.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace procshare {
namespace {

void nothing() {}

// Everything here changes how the process handles signals, so it happens in one of its own.
pid_t start(const std::function<int()>& body) {
    const pid_t pid = fork();

    if (pid == 0)
        _exit(body());
    return pid;
}

int wait_for(pid_t pid) {
    int ending = 0;

    EXPECT_EQ(waitpid(pid, &ending, WUNTRACED), pid);
    return ending;
}

int ending_of(const std::function<int()>& body) {
    return wait_for(start(body));
}

[[noreturn]] void die_of(int signal) {
    std::signal(signal, SIG_DFL);
    raise(signal);
    _exit(99);
}

TEST(RunChild, Endings) {
    EXPECT_EQ(ending_of([] { return exit_status(run_child([] { _exit(7); }, nothing)); }), W_EXITCODE(7, 0));
    EXPECT_EQ(ending_of([] { return exit_status(run_child([] { die_of(SIGTERM); }, nothing)); }),
              W_EXITCODE(128 + SIGTERM, 0));
}

TEST(RunChild, PassesSignalsOn) {
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGUSR1}) {
        const int ending = ending_of([signal] {
            int ready[2];
            if (pipe(ready) != 0)
                return 98;
            return exit_status(run_child(
                [&] {
                    std::signal(signal, [](int) { _exit(9); });
                    if (write(ready[1], "", 1) == 1)
                        pause();
                },
                [&] {
                    char byte;
                    if (read(ready[0], &byte, 1) == 1)
                        kill(getpid(), signal);
                }));
        });
        EXPECT_EQ(ending, W_EXITCODE(9, 0)) << signal;
    }
}

TEST(RunChild, WhereChildrenAreIgnored) {
    const int ending = ending_of([] {
        std::signal(SIGCHLD, SIG_IGN);
        return exit_status(
            run_child([] { _exit(std::signal(SIGCHLD, SIG_DFL) == SIG_IGN ? 5 : 6); }, nothing));
    });

    EXPECT_EQ(ending, W_EXITCODE(5, 0));
}

TEST(RunChild, StopsWithTheChild) {
    const pid_t pid = start([] {
        setpgid(0, 0); // not an orphaned group: the terminal's stops would mean nothing there
        return exit_status(run_child(
            [] {
                raise(SIGTSTP);
                raise(SIGTSTP);
                _exit(3);
            },
            nothing));
    });

    for (int stops = 0; stops < 2; stops++) {
        EXPECT_TRUE(WIFSTOPPED(wait_for(pid)));
        kill(pid, SIGCONT);
    }
    EXPECT_EQ(wait_for(pid), W_EXITCODE(3, 0));
}

// Whoever stops the program alone lets the program alone go on.
TEST(RunChild, IsNotStoppedWithTheChildByOthers) {
    const pid_t pid = start([] {
        return exit_status(run_child(
            [] {
                const pid_t stopped = getpid();

                if (fork() == 0) {
                    kill(stopped, SIGSTOP);
                    usleep(100000); // nothing is waited for: nothing may happen
                    kill(stopped, SIGCONT);
                    _exit(0);
                }
                wait(nullptr);
                _exit(3);
            },
            nothing));
    });

    EXPECT_EQ(wait_for(pid), W_EXITCODE(3, 0));
}

// What a shell's suspend does: it stops the process group, not only itself.
TEST(RunChild, StopsOnceWithTheGroup) {
    const pid_t pid = start([] {
        setpgid(0, 0);
        return exit_status(run_child(
            [] {
                kill(0, SIGSTOP);
                _exit(3);
            },
            nothing));
    });

    EXPECT_TRUE(WIFSTOPPED(wait_for(pid)));
    kill(-pid, SIGCONT);
    EXPECT_EQ(wait_for(pid), W_EXITCODE(3, 0));
}

TEST(FollowInterrupt, DiesAsTheChild) {
    const auto follow = [](int signal) {
        return ending_of([signal] {
            follow_interrupt(run_child([signal] { die_of(signal); }, nothing));
            return 4;
        });
    };

    EXPECT_EQ(follow(SIGINT), SIGINT);
    EXPECT_EQ(follow(SIGQUIT), SIGQUIT); // without a core file
    EXPECT_EQ(follow(SIGTERM), W_EXITCODE(4, 0));
}

} // namespace
} // namespace procshare
