// SPDX-License-Identifier: GPL-2.0-only
#include "policy.hpp"

#include <charconv>

#include "error.hpp"

namespace procshare {

static Policy parse_bounce(std::string_view ms) {
    Policy policy{PROCSHARE_POLICY_BOUNCE, 0};
    const auto [end, error] = std::from_chars(ms.data(), ms.data() + ms.size(), policy.bounce_ms);

    if (error != std::errc() || end != ms.data() + ms.size() || policy.bounce_ms < 1 ||
        policy.bounce_ms > PROCSHARE_BOUNCE_MAX)
        throw Error("'{}' is not a time to bounce after: give milliseconds from 1 to {}", ms,
                    PROCSHARE_BOUNCE_MAX);
    return policy;
}

Policy parse_policy(std::string_view text) {
    constexpr std::string_view bounce = "bounce:";

    if (text == "home")
        return {PROCSHARE_POLICY_HOME};
    if (text == "spread")
        return {PROCSHARE_POLICY_SPREAD};
    if (text == "away")
        return {PROCSHARE_POLICY_AWAY};
    if (text.starts_with(bounce))
        return parse_bounce(text.substr(bounce.size()));
    throw Error("there is no policy '{}': choose home, spread, away or bounce:MS", text);
}

std::string format_policy(const Policy& policy) {
    switch (policy.kind) {
    case PROCSHARE_POLICY_HOME:
        return "home";
    case PROCSHARE_POLICY_SPREAD:
        return "spread";
    case PROCSHARE_POLICY_AWAY:
        return "away";
    case PROCSHARE_POLICY_BOUNCE:
        return fmt::format("bounce:{}", policy.bounce_ms);
    }
    return fmt::format("{}", static_cast<unsigned>(policy.kind));
}

} // namespace procshare
