// SPDX-License-Identifier: GPL-2.0-only
// procshare - stream: what a peer could send, from well-formed to garbage
#include <cstring>
#include <vector>

extern "C" {
#include "stream.h"
#include "wire.h"
}

#include "fuzz.hpp"

namespace procshare::fuzzer {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr unsigned peer = 3;

void append(Bytes& to, const void* from, std::size_t length) {
    const auto* bytes = static_cast<const unsigned char*>(from);
    to.insert(to.end(), bytes, bytes + length);
}

procshare_wire_coherence page_message(Choice& c) {
    procshare_wire_coherence w{};
    w.address = c.value({0x7f0000000000, 0x400000, 0x1000, 0x7f0000000001, ~u64(0)});
    w.epoch = c.value({0, 1, 2, 3});
    w.acks = c.value({0, 2, 6, ~u64(0)});
    w.type = u8(c.value({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    w.access = u8(c.value({0, 1, 2, 3}));
    w.have = u8(c.value({0, 1}));
    w.flags = u8(c.value({0, 1, 2, 5, 7}));
    w.requester = u8(c.value({0, 1, 2, 63, 64, 255}));
    w.prot = u8(c.value({0, 3, 7, 8, 15}));
    w.origin = c.value({0, 0x100000001, ~u64(0)});
    return w;
}

procshare_wire_zero zero_message(Choice& c) {
    procshare_wire_zero w{};
    w.address = c.value({0, 0x7f0000000000, 0x7f0000040000, 0x7f0000001000, 0x7fffffffc000, ~u64(0)});
    w.pages = c.value({0, 1, 0xf0, ~u64(0)});
    w.granted = c.value({0, 1, 0x30, ~u64(0)});
    w.epoch = c.value({0, 1, ~u64(0)});
    w.prot = u8(c.value({0, 3, 8}));
    return w;
}

void add_message(Choice& c, Bytes& stream, u32 sequence) {
    Bytes body(c.value({0, 8, 32, 40, 240, 256}) % 4096);
    procshare_wire_header header{};

    c.bytes(body.data(), body.size());
    header.type = u8(c.value({PROCSHARE_WIRE_PING, PROCSHARE_WIRE_ECHO, PROCSHARE_WIRE_START,
                              PROCSHARE_WIRE_MIGRATE, PROCSHARE_WIRE_CALL, PROCSHARE_WIRE_REFUSE}));
    if (c.one_in(2)) {
        const procshare_wire_coherence w = page_message(c);
        header.type = PROCSHARE_WIRE_COHERENCE;
        body.clear();
        append(body, &w, c.one_in(16) ? c.below(sizeof(w)) : sizeof(w));
    } else if (c.one_in(4)) {
        const procshare_wire_zero w = zero_message(c);
        header.type = u8(c.value({PROCSHARE_WIRE_GET_ZERO, PROCSHARE_WIRE_GRANT_ZERO}));
        body.clear();
        append(body, &w, c.one_in(16) ? c.below(sizeof(w)) : sizeof(w));
    }
    header.flags = c.one_in(3) ? PROCSHARE_WIRE_PAGE : 0;
    header.sender = peer;
    header.sequence = sequence;
    header.process = 0x100000001;
    header.length = u32(body.size());
    append(stream, &header, sizeof(header));
    append(stream, body.data(), body.size());
    if (header.flags)
        stream.resize(stream.size() + PROCSHARE_WIRE_PAGE_SIZE);
}

} // namespace

void fuzz_stream(Choice& choice) {
    Bytes stream;
    const unsigned count = choice.below(12);
    unsigned whole = 0; // messages before the first damage

    for (; whole < count; whole++)
        add_message(choice, stream, whole);
    if (choice.one_in(8)) {
        stream.resize(choice.below(8192));
        choice.bytes(stream.data(), stream.size());
    }
    for (unsigned damage = choice.one_in(2) ? 0 : choice.below(4); damage && !stream.empty(); damage--)
        stream[choice.below(unsigned(stream.size()))] = static_cast<unsigned char>(choice.any());
    if (choice.one_in(4))
        stream.resize(choice.below(unsigned(stream.size()) + 1));

    // Of its exact size, for AddressSanitizer.
    const Bytes exact(stream);
    stream_result result{};
    stream_run(exact.data(), exact.size(), 1 + choice.below(600), peer, &result);
    require(!result.wrong, result.wrong ? result.wrong : "");
    require(result.ended, "a link ends without a reason");
}

} // namespace procshare::fuzzer
