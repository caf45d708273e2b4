// SPDX-License-Identifier: GPL-2.0-only
#include "program.h"

#include <optional>

namespace procshare::checker {
namespace {

using Memory = std::array<uint8_t, kMaxPages>;

// A point in one of the total orders.
struct Point {
    History history;
    Memory memory{};
    auto operator<=>(const Point&) const = default;
};

// Thread @t does its next operation; what it reads is noted.
Point step(const Program& program, Point point, unsigned t) {
    unsigned index = point.history.done[t]++;
    const Operation& o = program.threads[t].operations[index];
    unsigned next = (o.page + 1) % program.pages;
    switch (o.op) {
    case Op::kRead:
        point.history.seen[t][index] = point.memory[o.page];
        break;
    case Op::kWrite:
        point.memory[o.page] = write_id(t, index);
        break;
    case Op::kDiscard:
        point.memory[o.page] = 0;
        break;
    case Op::kMove:
        point.memory[next] = point.memory[o.page];
        point.memory[o.page] = 0;
        break;
    case Op::kProtect:
    case Op::kFork:
    case Op::kNone:
        break;
    }
    return point;
}

// Walks all total orders; those that leave @wanted are cut off.
class Orders {
public:
    Orders(const Program& program, const History* wanted) : program_(program), wanted_(wanted) {}

    const std::set<History>& run() {
        visit({});
        return ends_;
    }

private:
    unsigned length(unsigned t) const {
        return wanted_ ? wanted_->done[t] : unsigned(program_.threads[t].operations.size());
    }

    bool agrees(const Point& p, unsigned t) const {
        unsigned index = p.history.done[t] - 1u;
        return !wanted_ || p.history.seen[t][index] == wanted_->seen[t][index];
    }

    void visit(const Point& point) {
        if (!visited_.insert(point).second)
            return;
        bool end = true;
        for (unsigned t = 0; t < program_.threads.size(); t++) {
            if (point.history.done[t] == length(t))
                continue;
            end = false;
            Point next = step(program_, point, t);
            if (agrees(next, t))
                visit(next);
        }
        if (end)
            ends_.insert(point.history);
    }

    const Program& program_;
    const History* wanted_;
    std::set<Point> visited_;
    std::set<History> ends_;
};

constexpr std::string_view kLetters = "-RWZPFM";
constexpr std::string_view kPages = "xyz";

std::optional<Operation> parse_operation(std::string_view word) {
    if (word.size() != 2)
        return {};
    size_t op = kLetters.find(word[0]), page = kPages.find(word[1]);
    if (op == 0 || op == kLetters.npos || page == kPages.npos)
        return {};
    return Operation{Op(op), uint8_t(page)};
}

// Which write @id is: the thread and the operation that made it.
std::string describe_value(uint8_t id) {
    if (id == 0)
        return "0";
    return std::to_string((id - 1) / kMaxOperations) + "." + std::to_string((id - 1) % kMaxOperations);
}

} // namespace

std::vector<Operation> parse_operations(std::string_view text) {
    std::vector<Operation> operations;
    while (!text.empty()) {
        size_t end = text.find(' ');
        auto operation = parse_operation(text.substr(0, end));
        if (!operation)
            return {};
        operations.push_back(*operation);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return operations;
}

std::string describe(const Operation& o) {
    return {kLetters[unsigned(o.op)], kPages[o.page]};
}

std::string describe(const Program& program, const History& history) {
    std::string text;
    for (unsigned t = 0; t < program.threads.size(); t++) {
        const Script& script = program.threads[t];
        text += "  thread " + std::to_string(t) + " on node " + std::to_string(script.node) + ":";
        for (unsigned i = 0; i < script.operations.size(); i++) {
            text += " " + describe(script.operations[i]);
            if (i >= history.done[t])
                text += "(not done)";
            else if (script.operations[i].op == Op::kRead)
                text += "=" + describe_value(history.seen[t][i]);
        }
        text += "\n";
    }
    return text;
}

std::set<History> consistent_histories(const Program& program) {
    return Orders(program, nullptr).run();
}

bool consistent(const Program& program, const History& history) {
    return !Orders(program, &history).run().empty();
}

} // namespace procshare::checker
