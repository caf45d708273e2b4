// SPDX-License-Identifier: GPL-2.0-only
#include "ftrace.hpp"

#include <array>
#include <charconv>
#include <istream>
#include <optional>
#include <string_view>
#include <utility>

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

constexpr std::array<std::pair<std::string_view, coh_type>, 10> message_types{{
    {"GET", COH_GET},
    {"GRANT", COH_GRANT},
    {"FWD", COH_FWD},
    {"INV", COH_INV},
    {"ACK", COH_ACK},
    {"DONE", COH_DONE},
    {"NOPAGE", COH_NOPAGE},
    {"PUT", COH_PUT},
    {"LOST", COH_LOST},
    {"FLUSHED", COH_FLUSHED},
}};

class Reader {
public:
    explicit Reader(const std::string& name) : name_(name) {}

    void read(std::string_view text) {
        Line line;
        number_++;
        if (!split(text, line))
            return;
        if (line.event == "procshare_fault")
            fault(line, TraceEvent::Kind::fault);
        else if (line.event == "procshare_fault_end")
            fault(line, TraceEvent::Kind::fault_end);
        else if (line.event == "procshare_coherence_send")
            message(line, TraceEvent::Kind::send);
        else if (line.event == "procshare_coherence_receive")
            message(line, TraceEvent::Kind::receive);
    }

    std::vector<TraceEvent> take() { return std::move(events_); }

private:
    template <class T>
    T value(const Line& line, std::string_view key) const {
        if (const auto n = number<T>(field(line, key)))
            return *n;
        throw Error("{}:{}: {} without a number for '{}'", name_, number_, line.event, key);
    }

    coh_access access(const Line& line) const {
        const std::string_view access = field(line, "access");
        if (access == "none")
            return COH_NONE;
        if (access != "read" && access != "write")
            throw Error("{}:{}: {} without access=read or access=write", name_, number_, line.event);
        return access == "write" ? COH_WRITE : COH_READ;
    }

    coh_type type(const Line& line) const {
        const std::string_view said = field(line, "type");
        for (const auto& [type_name, type] : message_types)
            if (said == type_name)
                return type;
        throw Error("{}:{}: there is no message '{}'", name_, number_, said);
    }

    void add(const Line& line, TraceEvent event) {
        event.time = line.time;
        event.pid = line.pid;
        event.process = value<std::uint64_t>(line, "process");
        event.page = value<std::uint64_t>(line, "address") >> page_shift;
        event.access = access(line);
        if (event.node >= max_nodes)
            throw Error("{}:{}: there is no node {}", name_, number_, event.node);
        if (!events_.empty() && event.node != events_.front().node)
            throw Error("{}:{}: of node {}, what is before of node {}: give a file per node", name_, number_,
                        event.node, events_.front().node);
        events_.push_back(event);
    }

    void fault(const Line& line, TraceEvent::Kind kind) {
        TraceEvent event{.kind = kind, .node = value<unsigned>(line, "node")};
        event.mapped = kind == TraceEvent::Kind::fault_end && value<unsigned>(line, "mapped");
        add(line, event);
    }

    void message(const Line& line, TraceEvent::Kind kind) {
        const std::string_view flags = field(line, "flags");
        TraceEvent event{.kind = kind};
        coh_msg& m = event.message;

        m.type = type(line);
        m.from = value<u8>(line, "from");
        m.to = value<u8>(line, "to");
        m.access = access(line);
        m.requester = value<u8>(line, "requester");
        m.epoch = value<u64>(line, "epoch");
        m.acks = value<coh_set>(line, "acks");
        m.flags = (flags.find("DATA") != flags.npos ? COH_DATA : 0) |
                  (flags.find("ERROR") != flags.npos ? COH_ERROR : 0);
        event.node = kind == TraceEvent::Kind::send ? m.from : m.to;
        event.data = value<unsigned>(line, "page");
        add(line, event);
    }

    const std::string& name_;
    unsigned number_ = 0; // of the line
    std::vector<TraceEvent> events_;
};

} // namespace

std::vector<TraceEvent> read_ftrace(std::istream& input, const std::string& name) {
    Reader reader(name);
    std::string line;

    while (std::getline(input, line))
        reader.read(line);
    return reader.take();
}

} // namespace procshare::simulator
