// SPDX-License-Identifier: GPL-2.0-only
//
// What a search remembers: the states it has seen, by hash, and those it has
// still to expand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "model.h"

namespace procshare::checker {

struct Hash {
    uint64_t a, b;
    bool operator==(const Hash&) const = default;
};

inline uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    return x ^ x >> 32;
}

// 128 bits: the chance of one collision among 1e8 states is below 1e-22.
inline Hash hash(const Encoding& bytes) {
    Hash h{0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f ^ bytes.size()};
    for (size_t i = 0; i < bytes.size(); i += 8) {
        uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, std::min<size_t>(8, bytes.size() - i));
        h.a = mix(h.a ^ word);
        h.b = mix(h.b + word) * 0x9fb21c651e98df25;
    }
    return h;
}

// The visited states, by hash; ids are given in the order of discovery.
class Visited {
public:
    Visited() : slots_(1 << 16, kFree) {}

    // The id of @h, and whether it is new.
    std::pair<uint32_t, bool> insert(const Hash& h) {
        if ((hashes_.size() + 1) * 3 > slots_.size() * 2)
            grow();
        size_t slot = find(h);
        if (slots_[slot] != kFree)
            return {slots_[slot], false};
        slots_[slot] = uint32_t(hashes_.size());
        hashes_.push_back(h);
        return {slots_[slot], true};
    }

    size_t size() const { return hashes_.size(); }

private:
    static constexpr uint32_t kFree = UINT32_MAX;

    size_t find(const Hash& h) const {
        size_t slot = h.a & (slots_.size() - 1);
        while (slots_[slot] != kFree && hashes_[slots_[slot]] != h)
            slot = (slot + 1) & (slots_.size() - 1);
        return slot;
    }

    void grow() {
        slots_.assign(slots_.size() * 2, kFree);
        for (uint32_t id = 0; id < hashes_.size(); id++)
            slots_[find(hashes_[id])] = id;
    }

    std::vector<uint32_t> slots_;
    std::vector<Hash> hashes_;
};

// States that have been found and not yet expanded, in order of their ids.
class Frontier {
public:
    void push(const Encoding& e) {
        sizes_.push_back(uint16_t(e.size()));
        bytes_.insert(bytes_.end(), e.begin(), e.end());
    }
    size_t size() const { return sizes_.size(); }
    template <class F>
    void each(F&& f) const {
        size_t at = 0;
        for (uint16_t size : sizes_) {
            if (!f(std::span(bytes_).subspan(at, size)))
                return;
            at += size;
        }
    }

private:
    std::vector<uint16_t> sizes_;
    std::vector<uint8_t> bytes_;
};

} // namespace procshare::checker
