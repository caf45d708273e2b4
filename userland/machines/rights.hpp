// SPDX-License-Identifier: GPL-2.0-only
// procshare - what a node may still do with a page when a message about it leaves
#pragma once

#include <string_view>

extern "C" {
#include "coherence.h"
}

namespace procshare::machines {

// The rule that sending @m breaks while its sender's mapping allows @left; empty if none.
inline std::string_view unprotected(const coh_msg& m, coh_access left) {
    if (m.type == COH_ACK && left != COH_NONE)
        return "ACK before the page is unmapped";
    if (m.type == COH_PUT && left != COH_NONE)
        return "PUT of a mapped page";
    if (m.type != COH_GRANT || (m.flags & COH_ERROR))
        return {};
    if (m.access == COH_READ && left == COH_WRITE)
        return "a copy for reading of a page that is still writable";
    if (m.access == COH_WRITE && left != COH_NONE)
        return "a grant for writing of a page that is still mapped";
    return {};
}

} // namespace procshare::machines
