// SPDX-License-Identifier: GPL-2.0-only
#include "litmus.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace procshare::checker {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
    throw std::runtime_error(fmt::format("litmus program '{}': {}", name, why));
}

Script read_script(const Program& program, const std::string& text) {
    Script script{0, parse_operations(text)};
    if (script.operations.empty())
        refuse(program.name, fmt::format("'{}' is not a list of operations like 'Wx Ry'", text));
    if (script.operations.size() > kMaxOperations)
        refuse(program.name, fmt::format("a thread has more than {} operations", kMaxOperations));
    for (const Operation& o : script.operations)
        if (o.page >= program.pages)
            refuse(program.name, fmt::format("'{}' names a page beyond {}", text, program.pages));
    return script;
}

// The nodes of the threads, where the file names them.
void read_nodes(Program& program, const toml::array& nodes) {
    if (nodes.size() != program.threads.size())
        refuse(program.name, "names nodes, but not one for each thread");
    program.placed = true;
    for (size_t t = 0; t < nodes.size(); t++) {
        program.threads[t].node = uint8_t(nodes[t].value_or(0));
        if (program.threads[t].node > kMaxRemoteNodes)
            refuse(program.name, fmt::format("names a node beyond {}", kMaxRemoteNodes));
    }
}

Program read_program(const toml::table& table) {
    Program program;
    program.name = table["name"].value_or("?");
    program.pages = table["pages"].value_or(2u);
    if (program.pages < 1 || program.pages > kMaxPages)
        refuse(program.name, fmt::format("has {} pages, 1 to {} are possible", program.pages, kMaxPages));
    const toml::array* threads = table["threads"].as_array();
    if (!threads || threads->empty() || threads->size() > kMaxThreads)
        refuse(program.name, fmt::format("needs 1 to {} threads", kMaxThreads));
    for (const toml::node& thread : *threads)
        program.threads.push_back(read_script(program, thread.value_or(std::string())));
    if (const toml::array* nodes = table["nodes"].as_array())
        read_nodes(program, *nodes);
    return program;
}

bool at_home_only(const Script& script) {
    return std::ranges::any_of(script.operations, [](const Operation& o) { return changes_mapping(o.op); });
}

// Remote nodes get their names in the order in which threads are placed there.
void place(Program& program, unsigned thread, unsigned used, unsigned remotes, std::vector<Program>& out) {
    if (thread == program.threads.size()) {
        out.push_back(program);
        return;
    }
    Script& script = program.threads[thread];
    unsigned last = at_home_only(script) ? 0 : std::min(used + 1, remotes);
    for (unsigned node = 0; node <= last; node++) {
        script.node = uint8_t(node);
        place(program, thread + 1, std::max(used, node), remotes, out);
    }
}

} // namespace

std::vector<Program> read_litmus(const std::string& path) {
    std::vector<Program> programs;
    try {
        const toml::table file = toml::parse_file(path);
        const toml::array* list = file["litmus"].as_array();
        for (size_t i = 0; list && i < list->size(); i++)
            if (const toml::table* table = (*list)[i].as_table())
                programs.push_back(read_program(*table));
    } catch (const toml::parse_error& error) {
        throw std::runtime_error(fmt::format("{}: {}", path, error.description()));
    }
    if (programs.empty())
        throw std::runtime_error(fmt::format("{}: holds no [[litmus]]", path));
    return programs;
}

std::vector<Program> placements(const Program& program, unsigned remotes) {
    std::vector<Program> out;
    if (program.placed)
        return {program};
    Program copy = program;
    place(copy, 0, 0, remotes, out);
    return out;
}

std::string describe_placement(const Program& program) {
    std::string text;
    for (const Script& script : program.threads)
        text += (text.empty() ? "" : " ") + std::to_string(script.node);
    return text;
}

} // namespace procshare::checker
