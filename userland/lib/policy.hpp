// SPDX-License-Identifier: GPL-2.0-only
// procshare - where the threads of a shared process go by themselves
#pragma once

#include <string>
#include <string_view>

#include <linux/procshare.h>

namespace procshare {

struct Policy {
    procshare_policy kind = PROCSHARE_POLICY_SPREAD;
    unsigned bounce_ms = 0;
};

// home, spread, away or bounce:MS.  Throws Error.
Policy parse_policy(std::string_view text);
std::string format_policy(const Policy& policy);

} // namespace procshare
