// SPDX-License-Identifier: GPL-2.0-only
// procshare - run: an unmodified program as a shared process
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "child.hpp"
#include "control.hpp"
#include "output.hpp"
#include "program.hpp"
#include "verbs.hpp"

namespace procshare {
namespace {

constexpr const char* to_stderr = "-"; // what --stats without a file means

struct Options {
    std::string policy = "spread";
    std::string nodes;
    std::string cpus = "cluster";
    std::string stats; // empty: none
    bool json = false;
};

struct Request {
    Policy policy;
    NodeSet nodes = 0;
    bool home_cpus = false;
};

// Opened before the program starts, so that a mistake in its name costs nothing.
class Report {
public:
    explicit Report(const Options& options) : options_(options) {
        if (options.stats == to_stderr)
            return;
        stream_.reset(std::fopen(options.stats.c_str(), "we"));
        if (!stream_)
            throw Error("cannot write the statistics to {}: {}", options.stats, std::strerror(errno));
    }

    void write(Control& control, std::uint64_t session, int status) {
        print(control.session(session), control.self(), status);
        if (stream_ && std::fclose(stream_.release()) != 0)
            throw Error("cannot write {}: {}", options_.stats, std::strerror(errno));
    }

private:
    void print(const Statistics& statistics, unsigned home, int status) const {
        std::FILE* const stream = stream_ ? stream_.get() : stderr;

        if (!options_.json) {
            fmt::print(stream, "{}", format_statistics(statistics, home));
            return;
        }
        nlohmann::json json = json_statistics(statistics, home);
        json["schema"] = "procshare.stats/1";
        json["exit_status"] = status;
        print_json(json, stream);
    }

    struct Close {
        void operator()(std::FILE* stream) const { std::fclose(stream); }
    };

    const Options& options_;
    std::unique_ptr<std::FILE, Close> stream_;
};

// The pipe over which the child says under which session it runs.
class SessionPipe {
public:
    SessionPipe() {
        if (pipe2(ends_, O_CLOEXEC) != 0)
            throw Error("cannot make a pipe: {}", std::strerror(errno));
    }
    ~SessionPipe() {
        close(ends_[0]);
        close(ends_[1]);
    }
    SessionPipe(const SessionPipe&) = delete;
    SessionPipe& operator=(const SessionPipe&) = delete;

    void tell(std::uint64_t session) const {
        if (write(ends_[1], &session, sizeof(session)) != sizeof(session))
            throw Error("cannot tell the session: {}", std::strerror(errno));
    }

    // Nothing if the child gave up before it had one.
    std::optional<std::uint64_t> learn() {
        std::uint64_t session = 0;

        close(ends_[1]);
        ends_[1] = -1;
        if (read(ends_[0], &session, sizeof(session)) != sizeof(session))
            return {};
        return session;
    }

private:
    int ends_[2];
};

// Whatever becomes of the report, the exit status is the program's.
int run_and_report(Control& control, const Program& program, const Request& request, const Options& options) {
    Report report(options);
    std::optional<std::uint64_t> session;
    SessionPipe pipe;

    const int ending = run_child(
        [&] {
            pipe.tell(Control().attach(request.policy, request.nodes, request.home_cpus));
            program.execute();
        },
        [&] { session = pipe.learn(); });
    try {
        if (session)
            report.write(control, *session, exit_status(ending));
    } catch (const std::exception& error) {
        complain(fmt::format("no statistics: {}", error.what()));
    }
    follow_interrupt(ending);
    return exit_status(ending);
}

int run(const Options& options, const std::vector<std::string>& command) {
    const Program program(command);
    Request request{parse_policy(options.policy)};
    Control control;

    if (!options.nodes.empty())
        request.nodes = parse_node_set(options.nodes, control.known_nodes());
    request.home_cpus = options.cpus == "home";
    if (!options.stats.empty())
        return run_and_report(control, program, request, options);
    control.attach(request.policy, request.nodes, request.home_cpus);
    program.execute();
}

bool takes_next(const CLI::App& verb, const std::string& argument) {
    const CLI::Option* const option = verb.get_option_no_throw(argument);

    return option && option->get_items_expected_min() > 0;
}

// Cuts @arguments off where the options of run end: from there on nothing is ours to understand.
std::vector<std::string> take_command(const CLI::App& verb, std::vector<std::string>& arguments) {
    auto place = arguments.begin() + 1;

    while (place != arguments.end() && place->starts_with('-') && *place != "--")
        place += takes_next(verb, *place) && place + 1 != arguments.end() ? 2 : 1;
    const auto options_end = place;
    if (place != arguments.end() && *place == "--")
        ++place;
    std::vector<std::string> command(place, arguments.end());
    arguments.erase(options_end, arguments.end());
    return command;
}

} // namespace

void add_run(CLI::App& app, std::vector<std::string>& arguments, int& status) {
    CLI::App* verb = app.add_subcommand("run", "Run an unmodified program as a shared process");
    auto options = std::make_shared<Options>();

    verb->add_option("-p,--policy", options->policy,
                     "Where threads go: home, spread, away or bounce:MS (default: spread)")
        ->option_text("POLICY");
    verb->add_option("-n,--nodes", options->nodes, "Nodes to use, as in 0,2-4 or !3 or all (default: all)")
        ->option_text("SET");
    verb->add_option("-c,--cpus", options->cpus,
                     "Processors that the program sees: those of the cluster's nodes to use, or home's\n"
                     "(default: cluster)")
        ->option_text("cluster|home")
        ->check(CLI::IsMember({"cluster", "home"}));
    auto* stats = verb->add_flag(fmt::format("--stats{{{}}}", to_stderr), options->stats,
                                 "When the program has ended, say on stderr or in FILE what ran where")
                      ->option_text("[=FILE]");
    verb->add_flag("-j,--json", options->json, "Statistics as JSON")->needs(stats);
    std::vector<std::string> command;
    if (!arguments.empty() && arguments.front() == verb->get_name())
        command = take_command(*verb, arguments);
    verb->callback([command, options, &status] {
        if (command.empty())
            throw CLI::RequiredError("a program");
        try {
            status = run(*options, command);
        } catch (const StartError& error) {
            complain(error.what());
            status = error.status;
        }
    });
}

} // namespace procshare
