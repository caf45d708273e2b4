// SPDX-License-Identifier: GPL-2.0-only
#include "address.hpp"

#include <charconv>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "error.hpp"

namespace procshare {

std::string Address::host() const {
    char text[INET6_ADDRSTRLEN];

    return inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof(text));
}

Address parse_host(std::string_view text) {
    const std::string host(text);
    Address address;

    address.v6 = host.find(':') != std::string::npos;
    if (inet_pton(address.v6 ? AF_INET6 : AF_INET, host.c_str(), address.bytes.data()) != 1)
        throw Error("'{}' is not a numeric address: write it as 10.77.0.1 or fd00::1", host);
    if (address.v6 && IN6_IS_ADDR_LINKLOCAL(address.bytes.data()))
        throw Error("{}: a link-local address needs an interface: use a global or unique local one", host);
    return address;
}

static std::uint16_t parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);

    if (error != std::errc() || end != text.data() + text.size() || port == 0)
        throw Error("'{}' is not a port: give a number from 1 to 65535", text);
    return port;
}

Address parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    const bool bracketed = text.starts_with('[');
    const bool has_port = bracketed ? text.find("]:") != std::string::npos
                                    : colon != std::string::npos && text.find(':') == colon;
    std::string host = has_port ? text.substr(0, colon) : text;

    if (bracketed && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    Address address = parse_host(host);
    if (has_port)
        address.port = parse_port(std::string_view(text).substr(colon + 1));
    return address;
}

static bool from_sockaddr(const sockaddr* from, Address& to) {
    if (from && from->sa_family == AF_INET) {
        std::memcpy(to.bytes.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
        return true;
    }
    if (from && from->sa_family == AF_INET6) {
        to.v6 = true;
        std::memcpy(to.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
        return true;
    }
    return false;
}

std::vector<Address> local_addresses() {
    std::vector<Address> addresses;
    ifaddrs* list = nullptr;

    if (getifaddrs(&list) != 0)
        throw Error("cannot read this machine's addresses: {}: give --id", std::strerror(errno));
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
    for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
        Address address;
        if (from_sockaddr(entry->ifa_addr, address))
            addresses.push_back(address);
    }
    return addresses;
}

} // namespace procshare
