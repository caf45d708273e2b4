// SPDX-License-Identifier: GPL-2.0-only
//
// The canonical form of threads on several pages, and what people see of it.
#include <algorithm>
#include <numeric>

#include "threads.h"

namespace procshare::checker {
namespace {

using PageOrder = std::array<uint8_t, kMaxPages>;
constexpr size_t kThreadBytes = 4;
constexpr uint8_t kLast = 0xff;

void append_thread(const Thread& t, const PageOrder& order, Encoding& out) {
    bool busy = t.op != Op::kNone;
    out.insert(out.end(), {t.done, uint8_t(t.doing), uint8_t(t.op), busy ? order[t.page] : uint8_t(0)});
}

Thread take_thread(std::span<const uint8_t>& bytes, unsigned node) {
    Thread t{uint8_t(node), bytes[0], Doing(bytes[1]), Op(bytes[2]), bytes[3]};
    bytes = bytes.subspan(4);
    return t;
}

const char* name(Op op) {
    constexpr const char* kNames[] = {"nothing", "read", "write", "discard", "protect", "fork", "move"};
    return kNames[unsigned(op)];
}

std::string name_page(unsigned page) {
    return std::string(1, "xyz"[page]);
}

} // namespace

// Threads by node; those of one node that do the same in any order.
void ThreadModel::append_threads(const Machine& m, const Names& to, const PageOrder& order,
                                 Encoding& out) const {
    if (config_.records()) {
        for (unsigned t = 0; t < threads(); t++)
            append_thread(m.thread[t], order, out);
        for (unsigned t = 0; t < threads(); t++)
            out.insert(out.end(), m.history.seen[t].begin(), m.history.seen[t].end());
        return;
    }
    std::array<std::array<uint8_t, kThreadBytes + 2>, kMaxThreads> rows{};
    for (unsigned t = 0; t < threads(); t++) {
        Encoding bytes;
        append_thread(m.thread[t], order, bytes);
        // Who makes changes comes last, wherever it is.
        rows[t] = {is_changer(t) ? kLast : to[m.thread[t].node], group(t)};
        std::ranges::copy(bytes, rows[t].begin() + 2);
    }
    std::ranges::sort(std::span(rows).first(threads()));
    for (unsigned t = 0; t < threads(); t++)
        out.insert(out.end(), rows[t].begin() + 2, rows[t].end());
}

// Threads of a node with the same number are interchangeable.
uint8_t ThreadModel::group(unsigned t) const {
    if (!config_.program)
        return 0;
    return config_.alike() ? likeness_[t] : uint8_t(t);
}

void ThreadModel::encode_page(const World& page, EncodedPage& out) const {
    World ranked = rank_epochs(page);
    for (unsigned i = 0; i < renamings_.size(); i++) {
        out[i].clear();
        checker::append(ranked, page_, renamings_[i], out[i]);
    }
}

void ThreadModel::encode(const Machine& m, Encoded& pages, unsigned changed, Encoding& out) const {
    for (unsigned i = 0; i < config_.pages; i++)
        if (changed >> i & 1)
            encode_page(m.page[i], pages[i]);
    // A move goes to the next page, which is the other one only if there are two.
    bool swap = config_.pages == 2 && config_.symmetry && !config_.program;
    Encoding other;
    out.clear();
    for (unsigned i = 0; i < renamings_.size(); i++) {
        PageOrder order{0, 1, 2};
        for (int swapped = 0; swapped <= int(swap); swapped++) {
            other.clear();
            for (unsigned p = 0; p < config_.pages; p++)
                other.insert(other.end(), pages[order[p]][i].begin(), pages[order[p]][i].end());
            append_threads(m, renamings_[i], order, other);
            if (out.empty() || other < out)
                out.swap(other);
            std::swap(order[0], order[1]);
        }
    }
}

void ThreadModel::encode(const Machine& m, Encoding& out) const {
    Encoded pages;
    encode(m, pages, ~0u, out);
}

unsigned ThreadModel::changed(const Machine& m, const Step& step) const {
    switch (step.kind) {
    case Step::Kind::kPage:
        return 1u << step.index;
    case Step::Kind::kLose:
        return ~0u;
    default:
        break;
    }
    bool starts = step.kind == Step::Kind::kStart;
    Operation o = starts ? step.operation : Operation{m.thread[step.index].op, m.thread[step.index].page};
    return 1u << o.page | (o.op == Op::kMove ? 1u << other_page(o.page) : 0);
}

Machine ThreadModel::decode(std::span<const uint8_t> bytes) const {
    Machine m = initial();
    for (unsigned i = 0; i < config_.pages; i++)
        m.page[i] = take(bytes, page_);
    for (unsigned t = 0; t < threads(); t++)
        m.thread[t] = take_thread(bytes, m.thread[t].node);
    if (!config_.records())
        return m;
    for (unsigned t = 0; t < threads(); t++) {
        std::copy_n(bytes.begin(), kMaxOperations, m.history.seen[t].begin());
        bytes = bytes.subspan(kMaxOperations);
        m.history.done[t] = m.thread[t].done;
    }
    return m;
}

std::string ThreadModel::describe(const Step& step) const {
    std::string who = "thread " + std::to_string(step.index);
    switch (step.kind) {
    case Step::Kind::kPage:
        return "page " + name_page(step.index) + ": " + checker::describe(step.event);
    case Step::Kind::kStart:
        return who + ": " + name(step.operation.op) + " " + name_page(step.operation.page);
    case Step::Kind::kGoOn:
        return who + " goes on";
    case Step::Kind::kLose:
        return std::to_string(step.index) + " is lost";
    }
    return "?";
}

std::string ThreadModel::describe(const Machine& m) const {
    constexpr const char* kDoing[] = {"idle", "waits", "has failed"};
    std::string text;
    for (unsigned i = 0; i < config_.pages; i++)
        text += " page " + name_page(i) + "\n" + checker::describe(m.page[i], page_);
    for (unsigned t = 0; t < threads(); t++) {
        const Thread& thread = m.thread[t];
        text += "  thread " + std::to_string(t) + " on node " + std::to_string(thread.node) + ", " +
                std::to_string(thread.done) + " done, " + kDoing[unsigned(thread.doing)];
        if (thread.op != Op::kNone)
            text += std::string(": ") + name(thread.op) + " " + name_page(thread.page);
        text += "\n";
    }
    return text;
}

} // namespace procshare::checker
