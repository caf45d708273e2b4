// SPDX-License-Identifier: GPL-2.0-only
// procshare - fuzz: what the fuzzer's targets share
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string_view>
#include <vector>

namespace procshare::fuzzer {

// The random choices of one run, always the same for the same seed and number.
class Choice {
public:
    explicit Choice(std::uint64_t seed) : random_(seed) {}

    std::uint64_t any() { return random_(); }
    unsigned below(unsigned n) { return unsigned(random_() % n); }
    bool one_in(unsigned n) { return below(n) == 0; }
    // One of the interesting ones, or anything.
    std::uint64_t value(std::initializer_list<std::uint64_t> interesting) {
        if (one_in(8))
            return random_() >> below(64);
        return interesting.begin()[below(unsigned(interesting.size()))];
    }
    void bytes(void* to, std::size_t count) {
        for (auto* at = static_cast<unsigned char*>(to); count--;)
            *at++ = static_cast<unsigned char>(random_());
    }

private:
    std::mt19937_64 random_;
};

// Ends the program: @what should never be, in the run that is under way.
[[noreturn]] void fail(std::string_view what);
inline void require(bool holds, std::string_view what) {
    if (!holds)
        fail(what);
}

// One run of each target.
void fuzz_stream(Choice& choice);    // bytes that a peer sends: receive.c and page_message.c
void fuzz_coherence(Choice& choice); // events of any kind: coherence*.c
void fuzz_xstate(Choice& choice);    // extended processor state: xstate.c

} // namespace procshare::fuzzer
