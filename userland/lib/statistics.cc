// SPDX-License-Identifier: GPL-2.0-only
#include "statistics.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "table.hpp"

namespace procshare {

double Statistics::remote_share(unsigned home) const {
    double all = 0;
    double remote = 0;

    for (const Usage& usage : this->usage) {
        all += static_cast<double>(usage.user_ns);
        remote += usage.node == home ? 0 : static_cast<double>(usage.user_ns);
    }
    return all > 0 ? remote / all : 0;
}

static void add_usage(Usage& to, const Usage& from) {
    to.threads += from.threads;
    to.user_ns += from.user_ns;
    to.system_ns += from.system_ns;
    for (std::size_t i = 0; i < to.counters.size(); i++)
        to.counters[i] += from.counters[i];
}

void Statistics::add(const Statistics& other) {
    for (std::size_t i = 0; i < reasons.size(); i++)
        reasons[i] += other.reasons[i];
    for (const Usage& from : other.usage) {
        const auto place = std::ranges::lower_bound(usage, from.node, {}, &Usage::node);
        if (place != usage.end() && place->node == from.node)
            add_usage(*place, from);
        else
            usage.insert(place, from);
    }
}

static std::string format_reasons(const Statistics& statistics) {
    std::string text;

    for (std::size_t i = 0; i < reason_names.size(); i++)
        if (statistics.reasons[i])
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", reason_names[i], statistics.reasons[i]);
    return text.empty() ? "never" : text;
}

static std::string format_seconds(std::uint64_t ns) {
    return fmt::format("{:.3f}", static_cast<double>(ns) / 1e9);
}

std::string format_statistics(const Statistics& statistics, unsigned home) {
    Table table({{"node"},
                 {"threads"},
                 {"user s"},
                 {"system s"},
                 {"faults r/w/upgrade"},
                 {"pages in/out"},
                 {"invalidations"},
                 {"calls forwarded"},
                 {"arrivals"}});

    for (const Usage& usage : statistics.usage)
        table.row(
            {fmt::format("{}{}", usage.node == home ? "home " : "", usage.node),
             fmt::format("{}", usage.threads), format_seconds(usage.user_ns), format_seconds(usage.system_ns),
             fmt::format("{}/{}/{}", usage[PROCSHARE_A_USAGE_FAULT_READ],
                         usage[PROCSHARE_A_USAGE_FAULT_WRITE], usage[PROCSHARE_A_USAGE_FAULT_UPGRADE]),
             fmt::format("{}/{}", usage[PROCSHARE_A_USAGE_PAGES_IN], usage[PROCSHARE_A_USAGE_PAGES_OUT]),
             fmt::format("{}", usage[PROCSHARE_A_USAGE_INVALIDATIONS]),
             fmt::format("{}", usage[PROCSHARE_A_USAGE_CALLS]),
             fmt::format("{}", usage[PROCSHARE_A_USAGE_ARRIVALS])});
    return fmt::format("user CPU time on remote nodes: {:.1f} %\ncame home: {}\n{}",
                       100 * statistics.remote_share(home), format_reasons(statistics), table.text());
}

static nlohmann::json json_usage(const Usage& usage) {
    nlohmann::json json{{"node", usage.node},
                        {"threads", usage.threads},
                        {"user_ns", usage.user_ns},
                        {"system_ns", usage.system_ns}};

    for (std::size_t i = 0; i < counter_names.size(); i++)
        json[std::string(counter_names[i])] = usage.counters[i];
    return json;
}

nlohmann::json json_statistics(const Statistics& statistics, unsigned home) {
    nlohmann::json json{{"home", home},
                        {"remote_user_share", statistics.remote_share(home)},
                        {"reasons", nlohmann::json::object()},
                        {"nodes", nlohmann::json::array()}};

    for (std::size_t i = 0; i < reason_names.size(); i++)
        json["reasons"][std::string(reason_names[i])] = statistics.reasons[i];
    for (const Usage& usage : statistics.usage)
        json["nodes"].push_back(json_usage(usage));
    return json;
}

} // namespace procshare
