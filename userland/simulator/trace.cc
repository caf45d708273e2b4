// SPDX-License-Identifier: GPL-2.0-only
#include "trace.hpp"

#include <algorithm>
#include <istream>
#include <map>
#include <ostream>
#include <sstream>

#include <fmt/format.h>

#include "error.hpp"

namespace procshare::simulator {
namespace {

bool parse(const std::string& line, Fault& fault) {
    std::istringstream words(line);
    std::string kind, rest;

    if (!(words >> fault.time >> fault.node >> fault.thread >> std::hex >> fault.page >> std::dec >> kind))
        return false;
    if ((kind != "r" && kind != "w") || fault.node >= max_nodes || fault.time < 0)
        return false;
    fault.write = kind == "w";
    if (!(words >> fault.waited)) {
        fault.waited = 0;
        words.clear();
    }
    return fault.waited >= 0 && !(words >> rest);
}

class Replay : public Workload {
public:
    explicit Replay(std::vector<Fault> faults) {
        std::map<std::pair<unsigned, unsigned>, unsigned> threads;
        std::map<std::uint64_t, PageId> pages;

        std::ranges::sort(faults);
        for (const Fault& f : faults) {
            const auto [thread, fresh] = threads.try_emplace({f.node, f.thread}, unsigned(threads.size()));
            if (fresh) {
                threads_.push_back(NodeId(f.node));
                accesses_.emplace_back();
                ready_.push_back(faults.front().time);
            }
            const PageId page = pages.try_emplace(f.page, PageId(pages.size())).first->second;
            const unsigned t = thread->second;
            accesses_[t].push_back({f.write ? Access::Kind::write : Access::Kind::read, page,
                                    std::max<Nanoseconds>(0, f.time - ready_[t])});
            ready_[t] = f.time + f.waited;
            nodes_ = std::max(nodes_, f.node + 1);
        }
        nodes_ = std::max(nodes_, 2u);
        pages_ = PageId(pages.size());
        next_.resize(threads_.size());
    }

    std::optional<Access> next(unsigned thread) override {
        if (next_[thread] == accesses_[thread].size())
            return {};
        return accesses_[thread][next_[thread]++];
    }

private:
    std::vector<std::vector<Access>> accesses_; // by thread
    std::vector<std::size_t> next_;
    std::vector<Nanoseconds> ready_; // when the last access was over
};

} // namespace

std::vector<Fault> read_trace(std::istream& input, const std::string& name) {
    std::vector<Fault> faults;
    std::string line;

    for (unsigned number = 1; std::getline(input, line); number++) {
        if (line.empty() || line[0] == '#')
            continue;
        if (!parse(line, faults.emplace_back()))
            throw Error(
                "{}:{}: not 'TIME NODE THREAD PAGE r|w [WAITED]': make it with 'procshare-sim convert'", name,
                number);
    }
    return faults;
}

void write_trace(std::ostream& output, const std::vector<Fault>& faults) {
    output << "# procshare-trace 1: TIME(ns) NODE THREAD PAGE(hex) KIND WAITED(ns)\n";
    for (const Fault& f : faults)
        output << fmt::format("{} {} {} {:x} {} {}\n", f.time, f.node, f.thread, f.page, f.write ? 'w' : 'r',
                              f.waited);
}

std::unique_ptr<Workload> make_replay(const std::vector<Fault>& faults) {
    if (faults.empty())
        throw Error(
            "the trace holds no faults: were the events procshare_fault and procshare_coherence_* on?");
    return std::make_unique<Replay>(faults);
}

} // namespace procshare::simulator
