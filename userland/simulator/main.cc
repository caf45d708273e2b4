// SPDX-License-Identifier: GPL-2.0-only
// procshare-sim - simulate the page coherence protocol with many nodes
#include <cstdio>

#include <fmt/format.h>

#include "error.hpp"
#include "output.hpp"
#include "verbs.hpp"

namespace {

constexpr int usage_error = 2;

} // namespace

namespace procshare::simulator {

std::ifstream open_file(const std::string& path) {
    std::ifstream file(path);
    if (!file)
        throw Error("cannot read {}: does it exist?", path);
    return file;
}

} // namespace procshare::simulator

int main(int argc, char** argv) {
    using namespace procshare::simulator;
    CLI::App app("Simulates the page coherence protocol: the kernel's machines, many nodes.",
                 "procshare-sim");

    app.require_subcommand(1);
    app.set_version_flag("--version", PROCSHARE_VERSION);
    add_run(app);
    add_convert(app);
    add_measure(app);
    add_calibrate(app);
    try {
        app.parse(argc, argv);
        procshare::flush_output();
    } catch (const CLI::Success& success) {
        return app.exit(success); // --help, --version
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "procshare-sim: {}: see 'procshare-sim --help'\n", error.what());
        return usage_error;
    } catch (const std::exception& error) {
        fmt::print(stderr, "procshare-sim: {}\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
