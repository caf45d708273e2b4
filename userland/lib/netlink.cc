// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.hpp"

#include <cerrno>
#include <cstring>

#include <linux/netlink.h>
#include <linux/procshare.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

namespace procshare::netlink {
namespace {

// What the callbacks of one call() collect.
struct Conversation {
    const Socket::OnReply& on_reply;
    std::exception_ptr thrown; // by on_reply: must not unwind through libnl
    bool finished = false;
    int error = 0; // an errno
    std::string explanation;
};

std::string strip(const char* text, int length) {
    return std::string(text, strnlen(text, length));
}

// The attributes after an acknowledgement (extack).
void read_explanation(nlattr* first, int length, Conversation& conversation) {
    nlattr* attributes[NLMSGERR_ATTR_MAX + 1];

    if (nla_parse(attributes, NLMSGERR_ATTR_MAX, first, length, nullptr) < 0)
        return;
    if (const nlattr* text = attributes[NLMSGERR_ATTR_MSG])
        conversation.explanation = strip(static_cast<const char*>(nla_data(text)), nla_len(text));
}

int on_valid(nl_msg* message, void* argument) {
    auto& conversation = *static_cast<Conversation*>(argument);
    auto* header = static_cast<genlmsghdr*>(nlmsg_data(nlmsg_hdr(message)));

    try {
        if (conversation.on_reply && !conversation.thrown)
            conversation.on_reply(Attributes(genlmsg_attrdata(header, 0), genlmsg_attrlen(header, 0)));
    } catch (...) {
        conversation.thrown = std::current_exception();
    }
    return NL_OK;
}

// An acknowledgement: success, the end of a call that is not a dump.
int on_ack(nl_msg*, void* argument) {
    static_cast<Conversation*>(argument)->finished = true;
    return NL_STOP;
}

// The end of a dump carries an error code as an acknowledgement does.
int on_finish(nl_msg* message, void* argument) {
    auto& conversation = *static_cast<Conversation*>(argument);
    nlmsghdr* header = nlmsg_hdr(message);
    constexpr int code_size = NLMSG_ALIGN(sizeof(int));

    conversation.finished = true;
    if (nlmsg_datalen(header) < code_size)
        return NL_STOP;
    auto* code = static_cast<int*>(nlmsg_data(header));
    conversation.error = *code < 0 ? -*code : 0;
    if (header->nlmsg_flags & NLM_F_ACK_TLVS)
        read_explanation(reinterpret_cast<nlattr*>(code + 1), nlmsg_datalen(header) - code_size,
                         conversation);
    return NL_STOP;
}

int on_error(sockaddr_nl*, nlmsgerr* error, void* argument) {
    auto& conversation = *static_cast<Conversation*>(argument);
    auto* header = reinterpret_cast<nlmsghdr*>(reinterpret_cast<char*>(error) - NLMSG_HDRLEN);
    int skip = sizeof(*error);

    conversation.finished = true;
    conversation.error = -error->error;
    if (!(header->nlmsg_flags & NLM_F_CAPPED))
        skip += error->msg.nlmsg_len - sizeof(error->msg);
    skip = NLMSG_ALIGN(skip);
    if (header->nlmsg_flags & NLM_F_ACK_TLVS && nlmsg_datalen(header) > skip)
        read_explanation(reinterpret_cast<nlattr*>(reinterpret_cast<char*>(error) + skip),
                         nlmsg_datalen(header) - skip, conversation);
    return NL_STOP;
}

[[noreturn]] void refuse(const Conversation& conversation) {
    if (!conversation.explanation.empty())
        throw Refusal(conversation.error, conversation.explanation);
    if (conversation.error == EPERM)
        throw Refusal(EPERM, "not permitted: the node table needs CAP_NET_ADMIN, moving a process the right "
                             "to trace it");
    throw Refusal(conversation.error, std::strerror(conversation.error));
}

} // namespace

Attributes::Attributes(nlattr* first, int length) {
    nla_parse(attributes_.data(), max_type, first, length, nullptr);
}

std::uint64_t Attributes::number(int type) const {
    const auto data = bytes(type);
    std::uint64_t value = 0;

    if (data.size() <= sizeof(value)) // this machine is little-endian, as all of procshare's
        std::memcpy(&value, data.data(), data.size());
    return value;
}

std::string Attributes::text(int type) const {
    const auto data = bytes(type);

    return strip(reinterpret_cast<const char*>(data.data()), static_cast<int>(data.size()));
}

std::span<const std::byte> Attributes::bytes(int type) const {
    const nlattr* attribute = attributes_[type];

    if (!attribute)
        return {};
    return {static_cast<const std::byte*>(nla_data(attribute)), static_cast<std::size_t>(nla_len(attribute))};
}

Attributes Attributes::nest(int type) const {
    nlattr* attribute = attributes_[type];

    return {static_cast<nlattr*>(nla_data(attribute)), nla_len(attribute)};
}

static void check_put(int error) {
    if (error)
        throw Error("the request does not fit into a message");
}

Request& Request::put_u16(int type, std::uint16_t value) {
    check_put(nla_put_u16(message_.get(), type, value));
    return *this;
}

Request& Request::put_u32(int type, std::uint32_t value) {
    check_put(nla_put_u32(message_.get(), type, value));
    return *this;
}

Request& Request::put_u64(int type, std::uint64_t value) {
    check_put(nla_put_u64(message_.get(), type, value));
    return *this;
}

Request& Request::put_flag(int type) {
    check_put(nla_put_flag(message_.get(), type));
    return *this;
}

Request& Request::put_bytes(int type, std::span<const std::byte> value) {
    check_put(nla_put(message_.get(), type, static_cast<int>(value.size()), value.data()));
    return *this;
}

Socket::Socket() : socket_(nl_socket_alloc(), nl_socket_free) {
    if (!socket_)
        throw std::bad_alloc();
    if (const int error = genl_connect(socket_.get()); error < 0)
        throw Error("cannot open a netlink socket: {}", nl_geterror(error));
    family_ = genl_ctrl_resolve(socket_.get(), PROCSHARE_FAMILY_NAME);
    if (family_ < 0)
        throw Error("this kernel has no procshare support: boot a kernel with CONFIG_PROCSHARE");
    const int on = 1;
    for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK})
        setsockopt(nl_socket_get_fd(socket_.get()), SOL_NETLINK, option, &on, sizeof(on));
}

Request Socket::request(std::uint8_t command, int flags) const {
    Request request(nlmsg_alloc());

    if (!request.message_ || !genlmsg_put(request.message_.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family_, 0,
                                          NLM_F_REQUEST | flags, command, PROCSHARE_FAMILY_VERSION))
        throw std::bad_alloc();
    return request;
}

void Socket::call(const Request& request, const OnReply& on_reply) {
    Conversation conversation{on_reply, {}, false, 0, {}};
    const std::unique_ptr<nl_cb, decltype(&nl_cb_put)> callbacks(nl_cb_alloc(NL_CB_DEFAULT), nl_cb_put);

    if (!callbacks)
        throw std::bad_alloc();
    nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_valid, &conversation);
    nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, on_ack, &conversation);
    nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, on_finish, &conversation);
    nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &conversation);

    int error = nl_send_auto(socket_.get(), request.message_.get());
    while (error >= 0 && !conversation.finished)
        error = nl_recvmsgs(socket_.get(), callbacks.get());
    if (conversation.thrown)
        std::rethrow_exception(conversation.thrown);
    if (error < 0 && !conversation.finished)
        throw Error("netlink: {}", nl_geterror(error));
    if (conversation.error)
        refuse(conversation);
}

Prepared Socket::prepare(const Request& request) const {
    nlmsghdr* header = nlmsg_hdr(request.message_.get());

    nl_complete_msg(socket_.get(), request.message_.get());
    header->nlmsg_flags &= ~NLM_F_ACK;
    return {nl_socket_get_fd(socket_.get()),
            std::as_bytes(std::span(reinterpret_cast<char*>(header), header->nlmsg_len))};
}

} // namespace procshare::netlink
