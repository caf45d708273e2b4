// SPDX-License-Identifier: GPL-2.0-only
// procshare - generic netlink messages to and from the kernel's procshare family
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "error.hpp"

namespace procshare::netlink {

// The kernel refused: what() is its own explanation where it gave one.
class Refusal : public Error {
public:
    Refusal(int code, const std::string& text) : Error(text), code(code) {}
    const int code; // an errno
};

// The attributes of a received message or nest; valid while the message is.
class Attributes {
public:
    Attributes(nlattr* first, int length);

    bool has(int type) const { return attributes_[type]; }
    std::uint64_t number(int type) const; // of any width; 0 if absent
    std::string text(int type) const;
    std::span<const std::byte> bytes(int type) const;
    Attributes nest(int type) const;

private:
    static constexpr int max_type = 31; // more than any set of the family has
    std::array<nlattr*, max_type + 1> attributes_{};
};

class Socket;

// A request under construction.
class Request {
public:
    Request& put_u16(int type, std::uint16_t value);
    Request& put_u32(int type, std::uint32_t value);
    Request& put_u64(int type, std::uint64_t value);
    Request& put_flag(int type);
    Request& put_bytes(int type, std::span<const std::byte> value);

private:
    friend class Socket;
    explicit Request(nl_msg* message) : message_(message, nlmsg_free) {}

    std::unique_ptr<nl_msg, decltype(&nlmsg_free)> message_;
};

// A request that is sent with nothing but a system call, and asks for no answer: for measuring.
class Prepared {
public:
    Prepared(int fd, std::span<const std::byte> message)
        : fd_(fd), message_(message.begin(), message.end()) {}

    int fd() const { return fd_; }
    std::span<const std::byte> message() const { return message_; }
    void send() const { ::send(fd_, message_.data(), message_.size(), MSG_DONTWAIT); }

private:
    int fd_;
    std::vector<std::byte> message_;
};

class Socket {
public:
    using OnReply = std::function<void(const Attributes&)>;

    // Throws Error if the kernel lacks procshare.
    Socket();

    Request request(std::uint8_t command, int flags = 0) const;
    // Sends, calls @on_reply for each answer, waits for the end.  Throws Refusal.
    void call(const Request& request, const OnReply& on_reply = {});
    // @request must not be used again; the socket must outlive what is made of it, and be used for
    // nothing else.
    Prepared prepare(const Request& request) const;

private:
    std::unique_ptr<nl_sock, decltype(&nl_socket_free)> socket_;
    int family_ = 0;
};

} // namespace procshare::netlink
