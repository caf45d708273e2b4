// SPDX-License-Identifier: GPL-2.0-only
// procshare - xstate: (component, data) pairs from a peer, and back
#include <algorithm>
#include <cstring>
#include <vector>

extern "C" {
#include "xstate.h"
}

#include "fuzz.hpp"

namespace procshare::fuzzer {
namespace {

using Bytes = std::vector<unsigned char>;

// x87, SSE, AVX, AVX-512, PKRU, as processors lay them out; some lack some.
procshare_xstate_layout any_layout(Choice& c) {
    procshare_xstate_layout layout{};
    layout.components = 3 | (c.any() & 0x2e4);
    layout.size = PROCSHARE_XSTATE_EXTENDED;
    layout.at[0] = {0, 160};
    layout.at[1] = {160, 256};
    for (const auto& [n, size] : {std::pair(2u, 256u), {5, 64}, {6, 512}, {7, 1024}, {9, 8}}) {
        if (!(layout.components >> n & 1))
            continue;
        layout.at[n] = {layout.size, size};
        layout.size += size;
    }
    return layout;
}

Bytes any_pairs(Choice& c, const procshare_xstate_layout& layout) {
    Bytes pairs;
    for (unsigned n = 0; n < PROCSHARE_XSTATE_COMPONENTS; n++) {
        if (!(layout.components >> n & 1) || c.one_in(16))
            continue;
        const procshare_wire_xstate pair{c.one_in(64) ? u32(c.any()) : n,
                                         c.one_in(64) ? u32(c.any()) : layout.at[n].size};
        const std::size_t at = pairs.size();
        pairs.resize(at + sizeof(pair) + (layout.at[n].size + 7u) / 8 * 8);
        std::memcpy(pairs.data() + at, &pair, sizeof(pair));
        c.bytes(pairs.data() + at + sizeof(pair), layout.at[n].size);
    }
    if (c.one_in(8))
        pairs.resize(c.below(unsigned(pairs.size()) + 16));
    return pairs;
}

} // namespace

void fuzz_xstate(Choice& choice) {
    const procshare_xstate_layout layout = any_layout(choice);
    Bytes pairs = any_pairs(choice, layout);
    pairs.shrink_to_fit();
    Bytes image(layout.size), again(procshare_xstate_bound(&layout)), second(layout.size);

    if (procshare_xstate_decode(&layout, pairs.data(), pairs.size(), image.data()))
        return;
    const ssize_t length = procshare_xstate_encode(&layout, image.data(), again.data(), again.size());
    require(length >= 0, "what was decoded cannot be encoded");
    require(!procshare_xstate_decode(&layout, again.data(), std::size_t(length), second.data()),
            "what was encoded cannot be decoded");
    // Components that are in their initial state need not be in the header.
    std::memset(image.data() + PROCSHARE_XSTATE_HEADER, 0, 8);
    std::memset(second.data() + PROCSHARE_XSTATE_HEADER, 0, 8);
    require(image == second, "state changes on the way");
}

} // namespace procshare::fuzzer
