// SPDX-License-Identifier: GPL-2.0-only
// What the command says and returns before it asks the kernel for anything.
#include <array>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace {

struct Outcome {
    int status;
    std::string output; // stdout and stderr
};

Outcome run(const std::string& arguments) {
    const std::string command = std::string(PROCSHARE_COMMAND) + " " + arguments + " 2>&1";
    std::FILE* const stream = popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    std::string output;

    while (std::size_t size = std::fread(buffer.data(), 1, buffer.size(), stream))
        output.append(buffer.data(), size);
    return {WEXITSTATUS(pclose(stream)), output};
}

TEST(Run, ProgramNotFound) {
    EXPECT_EQ(run("run procshare-no-such-program -x").status, 127);
    EXPECT_EQ(run("run -- procshare-no-such-program").output,
              "procshare: 'procshare-no-such-program' was not found in PATH: give its full path\n");
    EXPECT_EQ(run("run /no/such/program").output,
              "procshare: cannot execute '/no/such/program': No such file or directory\n");
}

TEST(Run, ProgramNotExecutable) {
    EXPECT_EQ(run("run /etc/passwd").status, 126);
    EXPECT_EQ(run("run /").output, "procshare: cannot execute '/': Permission denied\n");
}

TEST(Run, OwnMistakes) {
    EXPECT_EQ(run("run").status, 125);
    EXPECT_EQ(run("run --no-such-option true").status, 125);
    EXPECT_EQ(run("run -j true").status, 125);
    EXPECT_EQ(run("run --policy load true").output,
              "procshare: there is no policy 'load': choose home, spread, away or bounce:MS\n");
}

// An option after the program is the program's; one with a value does not hide the program.
TEST(Run, OptionsEndAtTheProgram) {
    EXPECT_EQ(run("run --policy spread procshare-no-such-program --policy load").status, 127);
    EXPECT_EQ(run("run --policy=spread procshare-no-such-program --help").status, 127);
    EXPECT_EQ(run("run --stats procshare-no-such-program").status, 127);
    EXPECT_EQ(run("run -- --help").status, 127);
}

TEST(Usage, OneLineAndTwo) {
    for (const char* arguments : {"", "no-such-verb", "ps -x", "node", "node add 1", "migrate 1", "bench",
                                  "bench --count 0 echo", "bench --count 10001 echo"}) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.status, 2) << arguments;
        EXPECT_TRUE(outcome.output.starts_with("procshare: ")) << outcome.output;
        EXPECT_EQ(outcome.output.find('\n'), outcome.output.size() - 1) << outcome.output;
    }
}

TEST(NodeJoin, Wait) {
    for (const char* seconds : {"1m", "-5", "0", "99999999999999999999", "one"})
        EXPECT_EQ(run("node join -c /no/such/file --wait=" + std::string(seconds)).output,
                  "procshare: '" + std::string(seconds) +
                      "' is not a number of seconds: write it as --wait=60\n");
    for (const char* option : {"", "--wait", "--wait=", "--wait=5"})
        EXPECT_EQ(run("node join -c /no/such/file " + std::string(option)).output,
                  "procshare: cannot read the cluster file /no/such/file: No such file or directory\n");
}

TEST(Bench, WrongName) {
    const Outcome outcome = run("bench nonsense");

    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.output.starts_with(
        "procshare: there is no benchmark 'nonsense': choose one of echo, read-fault, "))
        << outcome.output;
    EXPECT_EQ(outcome.output.find('\n'), outcome.output.size() - 1) << outcome.output;
}

TEST(Output, WhereThereIsNoRoom) {
    const Outcome outcome = run("--help 2>&1 >/dev/full #"); // stderr stays where it is

    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.output, "procshare: cannot write the output: No space left on device\n");
    EXPECT_EQ(run("--version >/dev/full").status, 1); // nobody to tell
}

TEST(Help, EveryVerb) {
    for (const char* verb : {"", "run", "migrate", "ps", "node", "node join", "node add", "stat", "bench"}) {
        const Outcome outcome = run(std::string(verb) + " --help");
        EXPECT_EQ(outcome.status, 0) << verb;
        EXPECT_NE(outcome.output.find("Usage: procshare " + std::string(verb)), std::string::npos)
            << outcome.output;
    }
}

} // namespace
