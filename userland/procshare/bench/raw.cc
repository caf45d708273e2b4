// SPDX-License-Identifier: GPL-2.0-only
#include "raw.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "worker.hpp"

namespace procshare::bench {
namespace {

constexpr std::uint32_t short_message = 64; // bytes; without a page
constexpr std::uint32_t page = page_size;

std::uint32_t allowed(std::size_t count) {
    return static_cast<std::uint32_t>(std::clamp<std::size_t>(count, 1, PROCSHARE_ECHO_COUNT_MAX));
}

} // namespace

nlohmann::json round_trips(Control& control, unsigned node, Raw raw, std::size_t count) {
    const std::uint32_t reply = raw == Raw::small ? short_message : page;
    const Echo echo = control.echo(node, short_message, reply, allowed(count));

    return {{"request", short_message},    {"reply", reply},        {"min_ns", echo.min_ns},
            {"median_ns", echo.median_ns}, {"p99_ns", echo.p99_ns}, {"mean_ns", echo.mean_ns}};
}

nlohmann::json bulk(Control& control, unsigned node, std::size_t count) {
    const std::uint32_t pages = allowed(count);
    const Echo echo = control.echo(node, short_message, page, pages, PROCSHARE_ECHO_WINDOW_MAX);

    return {{"request", short_message},
            {"reply", page},
            {"window", PROCSHARE_ECHO_WINDOW_MAX},
            {"bytes_per_s", 1e9 * page * pages / static_cast<double>(echo.total_ns)}};
}

std::string format_round_trip(const nlohmann::json& raw) {
    return fmt::format("{} B out, {} B back: median {:.1f} us", raw["request"].get<unsigned>(),
                       raw["reply"].get<unsigned>(), raw["median_ns"].get<double>() / 1e3);
}

std::string format_bulk(const nlohmann::json& raw) {
    return fmt::format("{} B back, {} requests under way: {:.2f} MB/s", raw["reply"].get<unsigned>(),
                       raw["window"].get<unsigned>(), raw["bytes_per_s"].get<double>() / 1e6);
}

} // namespace procshare::bench
