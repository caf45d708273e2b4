// SPDX-License-Identifier: GPL-2.0-only
// procshare - where a node listens: a numeric IPv4 or IPv6 address and a port
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <linux/procshare.h>

namespace procshare {

struct Address {
    bool v6 = false;
    std::array<std::byte, 16> bytes{}; // network order; IPv4 uses the first four
    std::uint16_t port = PROCSHARE_DEFAULT_PORT;

    std::size_t size() const { return v6 ? 16 : 4; }
    bool same_host(const Address& other) const { return v6 == other.v6 && bytes == other.bytes; }

    std::string host() const;
};

// HOST as in "10.77.0.1" or "fd00::1"; names are not resolved.  Throws Error.
Address parse_host(std::string_view text);
// HOST, HOST:PORT or [HOST]:PORT.  Throws Error.
Address parse_address(const std::string& text);

// The addresses of this machine's interfaces.
std::vector<Address> local_addresses();

} // namespace procshare
