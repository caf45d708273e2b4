// SPDX-License-Identifier: GPL-2.0-only
#include "ftrace.hpp"

#include <charconv>
#include <istream>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "error.hpp"

namespace procshare::simulator {
namespace {

constexpr unsigned page_shift = 12;

// "TASK-PID [CPU] FLAGS SECONDS: EVENT: KEY=VALUE..."
struct Line {
    unsigned pid = 0;
    Nanoseconds time = 0;
    std::string_view event;
    std::string_view fields;
};

template <class T>
std::optional<T> number(std::string_view text) {
    int base = 10;
    T value{};
    if (text.starts_with("0x")) {
        text.remove_prefix(2);
        base = 16;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size())
        return {};
    return value;
}

std::string_view last_word(std::string_view text) {
    const size_t end = text.find_last_not_of(' ');
    if (end == text.npos)
        return {};
    text = text.substr(0, end + 1);
    return text.substr(text.find_last_of(' ') + 1);
}

// "12.345678" in nanoseconds, whatever the number of digits.
std::optional<Nanoseconds> seconds(std::string_view text) {
    const size_t dot = text.find('.');
    if (dot == text.npos)
        return {};
    const auto whole = number<Nanoseconds>(text.substr(0, dot));
    std::string fraction(text.substr(dot + 1));
    if (fraction.empty() || fraction.size() > 9)
        return {};
    fraction.resize(9, '0');
    const auto rest = number<Nanoseconds>(fraction);
    if (!whole || !rest)
        return {};
    return *whole * 1'000'000'000 + *rest;
}

// False for lines that are not about our events.
bool split(std::string_view text, Line& line) {
    const size_t event = text.find(": procshare_");
    if (event == text.npos)
        return false;
    const size_t cpu = text.rfind(" [", event);
    if (cpu == text.npos)
        return false;
    const size_t end = text.find(':', event + 2);
    const auto time = seconds(last_word(text.substr(0, event)));
    const std::string_view task = text.substr(0, text.find_last_not_of(' ', cpu) + 1);
    const auto pid = number<unsigned>(task.substr(task.find_last_of('-') + 1));
    if (end == text.npos || !time || !pid)
        return false;
    line = {*pid, *time, text.substr(event + 2, end - event - 2), text.substr(end + 1)};
    return true;
}

std::string_view field(const Line& line, std::string_view key) {
    const std::string pattern = " " + std::string(key) + "=";
    const size_t at = line.fields.find(pattern);
    if (at == line.fields.npos)
        return {};
    const std::string_view value = line.fields.substr(at + pattern.size());
    return value.substr(0, value.find_first_of(" \r"));
}

class Converter {
public:
    Converter(const std::string& name, const ConvertOptions& options) : name_(name), options_(options) {}

    void read(std::string_view text) {
        Line line;
        number_++;
        if (!split(text, line))
            return;
        if (options_.process && value<std::uint64_t>(line, "process") != options_.process)
            return;
        if (line.event == "procshare_fault")
            remote_fault(line);
        else if (line.event == "procshare_coherence_send")
            sent(line);
        else if (line.event == "procshare_coherence_receive")
            received(line);
    }

    std::vector<Fault> take() { return std::move(faults_); }

private:
    template <class T>
    T value(const Line& line, std::string_view key) const {
        if (const auto n = number<T>(field(line, key)))
            return *n;
        throw Error("{}:{}: {} without a number for '{}'", name_, number_, line.event, key);
    }

    std::uint64_t page(const Line& line) const { return value<std::uint64_t>(line, "address") >> page_shift; }

    bool is_write(const Line& line) const {
        const std::string_view access = field(line, "access");
        if (access != "read" && access != "write")
            throw Error("{}:{}: {} without access=read or access=write", name_, number_, line.event);
        return access == "write";
    }

    void add(const Line& line, unsigned node, unsigned thread, bool write) {
        if (node >= max_nodes)
            throw Error("{}:{}: there is no node {}", name_, number_, node);
        waiting_.insert({{node, page(line)}, faults_.size()});
        faults_.push_back({line.time, node, thread, page(line), write, 0});
    }

    void remote_fault(const Line& line) {
        add(line, value<unsigned>(line, "node"), line.pid, is_write(line));
    }

    // Home asks an owner or a source for the page, or sharers for their copies, for itself.
    void sent(const Line& line) {
        const std::string_view type = field(line, "type");
        if (type != "FWD" && type != "INV")
            return;
        const auto from = value<unsigned>(line, "from");
        if (value<unsigned>(line, "requester") != from)
            return;
        const std::pair transaction(page(line), value<std::uint64_t>(line, "epoch"));
        if (transactions_.insert(transaction).second)
            add(line, from, 0, type == "INV" || is_write(line));
    }

    // Those who waited for the page at that node have it.
    void received(const Line& line) {
        if (field(line, "type") != "GRANT")
            return;
        const std::pair key(value<unsigned>(line, "to"), page(line));
        const auto [begin, end] = waiting_.equal_range(key);
        for (auto i = begin; i != end; ++i)
            if (line.time >= faults_[i->second].time)
                faults_[i->second].waited = line.time - faults_[i->second].time;
        waiting_.erase(begin, end);
    }

    const std::string& name_;
    const ConvertOptions options_;
    unsigned number_ = 0; // of the line
    std::vector<Fault> faults_;
    std::multimap<std::pair<unsigned, std::uint64_t>, std::size_t> waiting_; // by node and page
    std::set<std::pair<std::uint64_t, std::uint64_t>> transactions_;         // of home's own faults
};

} // namespace

std::vector<Fault> read_ftrace(std::istream& input, const std::string& name, const ConvertOptions& options) {
    Converter converter(name, options);
    std::string line;

    while (std::getline(input, line))
        converter.read(line);
    return converter.take();
}

} // namespace procshare::simulator
