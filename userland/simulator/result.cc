// SPDX-License-Identifier: GPL-2.0-only
#include "result.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "table.hpp"

namespace procshare::simulator {
namespace {

constexpr const char* type_names[] = {"",     "GET",    "GRANT", "FWD",  "INV",    "ACK",
                                      "DONE", "NOPAGE", "PUT",   "LOST", "FLUSHED"};
constexpr double microsecond = 1e3; // ns
constexpr double second = 1e9;

std::vector<Nanoseconds> all_latencies(const Result& result) {
    std::vector<Nanoseconds> all;
    for (const RowCount& row : result.faults)
        all.insert(all.end(), row.latencies.begin(), row.latencies.end());
    return all;
}

struct Use {
    double home = 0, most = 0, mean = 0; // of the nodes, home not counted in the latter two
};

template <class F>
Use use_of(const Result& result, F&& f) {
    Use use{f(0)};
    for (unsigned n = 1; n < result.nodes; n++) {
        use.most = std::max(use.most, f(n));
        use.mean += f(n) / (result.nodes - 1);
    }
    return use;
}

double per_second(const Result& result, std::uint64_t count) {
    return result.makespan ? double(count) * second / double(result.makespan) : 0;
}

std::string format_row(double value) {
    return fmt::format("{:.1f}", value / microsecond);
}

} // namespace

const char* row_name(Row row) {
    constexpr const char* names[rows] = {
        "remote read, home valid",
        "remote read, another node owns or is source",
        "remote write, no other copy or sole sharer",
        "remote write, other holders",
        "remote write, another node owns",
        "home write",
        "home read",
        "no message",
    };
    return names[static_cast<std::size_t>(row)];
}

Row next_row(const coh_home& h) {
    const u8 node = coh_home_head(&h);
    if (node == COH_NO_NODE)
        return h.home_want & COH_WANT_WRITE ? Row::home_write : Row::home_read;
    const bool valid = h.state == COH_HOME_ALONE || h.state == COH_HOME_SHARED;
    const bool write = h.want_write & coh_bit(node);
    if (!write)
        return valid ? Row::remote_read_home : Row::remote_read_third;
    if (h.state == COH_HOME_OWNED)
        return Row::remote_write_third;
    return h.sharers & ~coh_bit(node) ? Row::remote_write_shared : Row::remote_write_alone;
}

std::uint64_t Result::fault_count() const {
    std::uint64_t count = 0;
    for (const RowCount& row : faults)
        count += row.latencies.size();
    return count;
}

Nanoseconds Result::waited() const {
    Nanoseconds sum = 0;
    for (const RowCount& row : faults)
        sum = std::accumulate(row.latencies.begin(), row.latencies.end(), sum);
    return sum;
}

double Result::service_use(unsigned node) const {
    return makespan ? double(load[node].service) / double(makespan) / servers : 0;
}

double Result::link_use(unsigned node) const {
    return makespan ? double(std::max(load[node].in, load[node].out)) / double(makespan) : 0;
}

Nanoseconds quantile(std::vector<Nanoseconds> values, double share) {
    if (values.empty())
        return 0;
    const auto nth = values.begin() + std::ptrdiff_t(double(values.size() - 1) * share);
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
}

// How long it took, how much was said, and the faults by row.
std::string format_faults(const Result& result) {
    Table table({{"fault", Table::Align::left}, {"count"}, {"median us"}, {"p99 us"}});
    auto add = [&](const char* name, const std::vector<Nanoseconds>& latencies) {
        table.row({name, fmt::format("{}", latencies.size()), format_row(double(quantile(latencies, 0.5))),
                   format_row(double(quantile(latencies, 0.99)))});
    };
    for (std::size_t row = 0; row < rows; row++)
        if (!result.faults[row].latencies.empty())
            add(row_name(static_cast<Row>(row)), result.faults[row].latencies);
    add("all", all_latencies(result));
    return fmt::format("{:.3f} ms, {} accesses, {} faults ({:.0f}/s)\n"
                       "{} messages, {} pages, {} bytes\n\n{}",
                       double(result.makespan) / 1e6, result.accesses, result.fault_count(),
                       per_second(result, result.fault_count()), result.messages, result.pages, result.bytes,
                       table.text());
}

std::string format_result(const Result& result) {
    const Use service = use_of(result, [&](unsigned n) { return result.service_use(n); });
    const Use link = use_of(result, [&](unsigned n) { return result.link_use(n); });
    return fmt::format("{} nodes, directory {}: {}\n"
                       "busy with messages: home {:.1f} %, others {:.1f} % (the busiest {:.1f} %)\n"
                       "links: home {:.1f} %, others {:.1f} % (the busiest {:.1f} %)\n",
                       result.nodes, result.distributed ? "distributed" : "at home", format_faults(result),
                       100 * service.home, 100 * service.mean, 100 * service.most, 100 * link.home,
                       100 * link.mean, 100 * link.most);
}

nlohmann::json json_result(const Result& result) {
    nlohmann::json faults = nlohmann::json::array();
    for (std::size_t row = 0; row < rows; row++)
        faults.push_back({{"row", row_name(static_cast<Row>(row))},
                          {"count", result.faults[row].latencies.size()},
                          {"median_ns", quantile(result.faults[row].latencies, 0.5)},
                          {"p99_ns", quantile(result.faults[row].latencies, 0.99)}});
    nlohmann::json types = nlohmann::json::object();
    for (std::size_t type = COH_GET; type < result.types.size(); type++)
        types[type_names[type]] = result.types[type];
    const Use service = use_of(result, [&](unsigned n) { return result.service_use(n); });
    const Use link = use_of(result, [&](unsigned n) { return result.link_use(n); });
    const std::vector<Nanoseconds> all = all_latencies(result);
    return {{"schema", "procshare.sim/1"},
            {"nodes", result.nodes},
            {"distributed", result.distributed},
            {"makespan_ns", result.makespan},
            {"accesses", result.accesses},
            {"accesses_per_s", per_second(result, result.accesses)},
            {"faults_per_s", per_second(result, result.fault_count())},
            {"messages", result.messages},
            {"types", types},
            {"waited_ns", result.waited()},
            {"pages", result.pages},
            {"bytes", result.bytes},
            {"median_ns", quantile(all, 0.5)},
            {"p99_ns", quantile(all, 0.99)},
            {"faults", faults},
            {"service", {{"home", service.home}, {"most", service.most}, {"mean", service.mean}}},
            {"link", {{"home", link.home}, {"most", link.most}, {"mean", link.mean}}}};
}

} // namespace procshare::simulator
