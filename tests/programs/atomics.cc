// SPDX-License-Identifier: GPL-2.0-only
// atomics - C++ threads: atomics of all widths, locks, futures, exceptions, thread-local objects, wait and
// notify
//
// Usage: atomics [THREADS]

#include "check.h"

#include <array>
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int rounds = 500;

struct Tracer {
    static inline std::atomic<int> alive = 0;
    int uses = 0;
    Tracer() { alive++; }
    ~Tracer() { alive--; }
};

thread_local Tracer tracer;

template <class T>
std::uint64_t count_up(int threads) {
    std::atomic<T> counter = 0;
    std::vector<std::jthread> workers;

    for (int i = 0; i < threads; i++)
        workers.emplace_back([&] {
            for (int round = 0; round < rounds; round++) {
                counter.fetch_add(1, std::memory_order_relaxed);
                tracer.uses++;
            }
        });
    workers.clear();
    return counter;
}

// Every value that goes in comes out once.
std::uint64_t hand_over(int threads) {
    std::deque<int> queue;
    std::mutex lock;
    std::condition_variable filled;
    std::atomic<std::uint64_t> sum = 0;
    std::vector<std::jthread> consumers;

    for (int i = 0; i < threads; i++)
        consumers.emplace_back([&] {
            for (;;) {
                std::unique_lock guard(lock);
                filled.wait(guard, [&] { return !queue.empty(); });
                const int value = queue.front();
                queue.pop_front();
                guard.unlock();
                if (value < 0)
                    return;
                sum += value;
            }
        });
    for (int value = 0; value < rounds + threads; value++) {
        const std::lock_guard guard(lock);
        queue.push_back(value < rounds ? value : -1);
        filled.notify_one();
    }
    consumers.clear();
    return sum;
}

int throw_in_threads(int threads) {
    std::vector<std::future<int>> results;
    int caught = 0;

    for (int i = 0; i < threads; i++)
        results.push_back(std::async(std::launch::async, [i]() -> int {
            const std::string text(1000, static_cast<char>('a' + i));
            if (i % 2)
                throw std::runtime_error(text);
            return i;
        }));
    for (int i = 0; i < threads; i++)
        try {
            CHECK_EQUAL(results[i].get(), i);
        } catch (const std::runtime_error& error) {
            CHECK(error.what() == std::string(1000, static_cast<char>('a' + i)));
            caught++;
        }
    return caught;
}

// One token goes round: each thread waits for its number.
int pass_on(int threads) {
    std::atomic<int> token = 0;
    std::vector<std::jthread> workers;

    for (int i = 0; i < threads; i++)
        workers.emplace_back([&, i] {
            for (int round = 0; round < 20; round++) {
                for (int seen = token; seen != round * threads + i; seen = token)
                    token.wait(seen);
                token++;
                token.notify_all();
            }
        });
    workers.clear();
    return token;
}

// A map under a shared lock: readers see whole updates only.
std::size_t read_and_write(int threads) {
    std::map<int, std::string> map;
    std::shared_mutex lock;
    std::barrier meet(threads);
    std::vector<std::jthread> workers;

    for (int i = 0; i < threads; i++)
        workers.emplace_back([&, i] {
            meet.arrive_and_wait();
            for (int round = 0; round < 50; round++) {
                {
                    const std::unique_lock guard(lock);
                    map[round * threads + i] = std::string(100, 'x');
                }
                const std::shared_lock guard(lock);
                for (const auto& [key, value] : map)
                    CHECK(value.size() == 100, "key %d", key);
            }
        });
    workers.clear();
    return map.size();
}

// Enough arithmetic to call the whole CPU-bound.
std::uint64_t compute(int threads) {
    std::vector<std::future<std::uint64_t>> parts;
    std::uint64_t sum = 0;

    for (int i = 0; i < threads; i++)
        parts.push_back(std::async(std::launch::async, [i] {
            std::uint64_t x = 88172645463325252u + i, part = 0;
            for (int step = 0; step < 6000000; step++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                part += x;
            }
            return part;
        }));
    for (auto& part : parts)
        sum += part.get();
    return sum;
}

} // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::stoi(argv[1]) : 4;

    tracer.uses = 0;
    std::printf("counted %lu %lu %lu %lu\n", count_up<std::uint8_t>(threads),
                count_up<std::uint16_t>(threads), count_up<std::uint32_t>(threads),
                count_up<std::uint64_t>(threads));
    std::printf("handed over %lu, caught %d, passed %d, mapped %zu\n", hand_over(threads),
                throw_in_threads(threads), pass_on(threads), read_and_write(threads));
    std::printf("computed %lx\n", compute(threads));
    CHECK_EQUAL(Tracer::alive, 1);
}
