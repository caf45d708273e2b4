// SPDX-License-Identifier: GPL-2.0-only
#include "trace.hpp"

#include <istream>
#include <ostream>
#include <sstream>

#include <fmt/format.h>

#include "error.hpp"

namespace procshare::simulator {
namespace {

bool parse_kind(const std::string& kind, Request& request) {
    if (kind.size() != 1 || std::string("rwRWd").find(kind) == std::string::npos)
        return false;
    request.write = kind == "w" || kind == "W";
    if (kind == "d")
        request.kind = Request::Kind::discard;
    else
        request.kind = kind == "r" || kind == "w" ? Request::Kind::fault : Request::Kind::ahead;
    return true;
}

char kind_of(const Request& request) {
    if (request.kind == Request::Kind::discard)
        return 'd';
    if (request.kind == Request::Kind::ahead)
        return request.write ? 'W' : 'R';
    return request.write ? 'w' : 'r';
}

bool parse(const std::string& line, Request& request) {
    std::istringstream words(line);
    std::string kind, word;

    if (!(words >> request.time >> request.node >> request.thread >> std::hex >> request.page >> std::dec >>
          kind))
        return false;
    if (!parse_kind(kind, request) || request.node >= max_nodes || request.time < 0)
        return false;
    if (!(words >> request.waited)) {
        request.waited = 0;
        return words.eof();
    }
    if (words >> word)
        request.zero = word == "zero";
    return request.waited >= 0 && (word.empty() || request.zero) && !(words >> word);
}

} // namespace

std::vector<Request> read_trace(std::istream& input, const std::string& name) {
    std::vector<Request> requests;
    std::string line;

    for (unsigned number = 1; std::getline(input, line); number++) {
        if (line.empty() || line[0] == '#')
            continue;
        if (!parse(line, requests.emplace_back()))
            throw Error("{}:{}: not 'TIME NODE THREAD PAGE r|w|R|W|d [WAITED [zero]]': make it with "
                        "'procshare-sim convert'",
                        name, number);
    }
    return requests;
}

void write_trace(std::ostream& output, const std::vector<Request>& requests) {
    output << "# procshare-trace 2: TIME(ns) NODE THREAD PAGE(hex) KIND WAITED(ns)\n";
    for (const Request& r : requests)
        output << fmt::format("{} {} {} {:x} {} {}{}\n", r.time, r.node, r.thread, r.page, kind_of(r),
                              r.waited, r.zero ? " zero" : "");
}

} // namespace procshare::simulator
