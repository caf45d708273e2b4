// SPDX-License-Identifier: GPL-2.0-only
// procshare - how --help looks
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace procshare {

class HelpFormatter : public CLI::Formatter {
public:
    HelpFormatter() { column_width(28); }

    std::string make_usage(const CLI::App* app, std::string name) const override {
        const std::string program = app->get_name() == "run" ? " [--] PROGRAM [ARG...]" : "";
        std::string usage = CLI::Formatter::make_usage(app, name);

        usage.insert(usage.find_last_not_of('\n') + 1, program);
        return usage;
    }

    // Without the value that a bare flag stands for.
    std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
        std::string name = option->get_name(is_positional, true);

        if (const auto brace = name.find('{'); brace != std::string::npos)
            name.erase(brace, name.find('}') - brace + 1);
        return name;
    }

    // Only what the verb itself says its argument is called: "FILE", "[=FILE]".
    std::string make_option_opts(const CLI::Option* option) const override {
        const std::string& text = option->get_option_text();

        return text.empty() || text.starts_with('[') ? text : " " + text;
    }
};

} // namespace procshare
