// SPDX-License-Identifier: GPL-2.0-only
// procshare - the command: one unmodified program on several machines
#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "help.hpp"
#include "output.hpp"
#include "program.hpp"
#include "verbs.hpp"

namespace {

constexpr int usage_error = 2;

// The verb that the command line named, as far as it was understood.
std::string named_verb(const CLI::App& app) {
    std::string name = app.get_name();

    for (const CLI::App* verb : app.get_subcommands())
        name += " " + named_verb(*verb);
    return name;
}

bool names_run(const CLI::App& app) {
    return app.got_subcommand("run");
}

// Help and version are output as any other.
void parse(CLI::App& app, std::vector<std::string> arguments) {
    try {
        std::ranges::reverse(arguments); // as CLI11 wants them
        app.parse(std::move(arguments));
    } catch (const CLI::Success& success) {
        app.exit(success);
    }
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Runs an unmodified program on several machines.", "procshare");
    std::vector<std::string> arguments(argv + 1, argv + argc);
    int status = EXIT_SUCCESS;

    app.formatter(std::make_shared<procshare::HelpFormatter>());
    app.set_version_flag("--version", PROCSHARE_VERSION);
    app.callback([&app] { procshare::require_verb(app); });
    procshare::add_run(app, arguments, status);
    procshare::add_migrate(app);
    procshare::add_ps(app);
    procshare::add_node(app);
    procshare::add_stat(app);
    procshare::add_bench(app);
    try {
        parse(app, std::move(arguments));
        procshare::flush_output();
        return status;
    } catch (const CLI::ParseError& error) {
        procshare::complain(fmt::format("{}: see '{} --help'", error.what(), named_verb(app)));
        return names_run(app) ? procshare::run_failed : usage_error;
    } catch (const std::exception& error) {
        procshare::complain(error.what());
        return names_run(app) ? procshare::run_failed : EXIT_FAILURE;
    }
}
