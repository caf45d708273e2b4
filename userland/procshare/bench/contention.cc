// SPDX-License-Identifier: GPL-2.0-only
// procshare - what threads on several nodes get done that all want the same page
#include <algorithm>
#include <atomic>
#include <memory>

#include <pthread.h>

#include "barrier.hpp"
#include "inside.hpp"
#include "nodes.hpp"
#include "table.hpp"

namespace procshare::bench {
namespace {

constexpr std::size_t most_samples = 8192;
constexpr std::size_t cache_line = 64; // bytes

// What one thread did.
struct Progress {
    std::uint64_t steps = 0;
    Samples samples{0};
};

// The thread with number i, on nodes[i], calls @step(i) for task.count milliseconds.  @step says whether
// another node's came in between: then the page had to come, which is a sample.
template <typename Step>
std::vector<Progress> contend(const Task& task, const std::vector<unsigned>& nodes, const Step& step) {
    std::vector<Progress> progress(nodes.size());
    Barrier ready(nodes.size());

    run_on_all(task.control, nodes, [&](std::size_t me) {
        Progress mine{0, Samples(most_samples)};
        std::size_t taken = 0;

        ready.wait();
        const std::uint64_t end = monotonic_ns() + task.count * 1000000;
        for (std::uint64_t now = monotonic_ns(); now < end; mine.steps++) {
            const std::uint64_t start = now;
            const bool came = step(me);
            now = monotonic_ns();
            if (came && taken < most_samples)
                mine.samples.note(taken++, start, now);
        }
        mine.samples.cut(taken);
        progress[me] = std::move(mine);
    });
    return progress;
}

std::uint64_t total(const std::vector<Progress>& progress) {
    std::uint64_t steps = 0;

    for (const Progress& one : progress)
        steps += one.steps;
    return steps;
}

double per_second(const Task& task, std::uint64_t number) {
    return static_cast<double>(number) * 1000 / static_cast<double>(task.count);
}

// Samples of all threads, and how evenly they got on.
Result summary(const Task& task, const std::vector<Progress>& progress) {
    const auto [least, most] = std::ranges::minmax(progress, {}, &Progress::steps);
    Samples all(0);

    for (const Progress& one : progress)
        all.append(one.samples);
    all.sort();
    return {all.median(),
            all.p99(),
            {{"threads", static_cast<double>(progress.size())},
             {"steps_per_s", per_second(task, total(progress))},
             {"moves_per_s", per_second(task, all.size())},
             {"least_steps", static_cast<double>(least.steps)},
             {"most_steps", static_cast<double>(most.steps)}}};
}

struct alignas(page_size) Word {
    std::atomic<std::size_t> value{0};
};

// Whoever has the mutex says on which node it is, and adds one.
struct alignas(page_size) Locked {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    unsigned last = 0;
    std::uint64_t steps = 0;

    bool step(unsigned node) {
        pthread_mutex_lock(&mutex);
        const bool other = last != node;
        last = node;
        steps++;
        pthread_mutex_unlock(&mutex);
        return other;
    }
};

// Additions per second to words that are so many bytes apart.
double add_apart(const Task& task, const std::vector<unsigned>& nodes, std::size_t distance) {
    const auto memory = std::make_unique<Word[]>(nodes.size());
    char* const bytes = reinterpret_cast<char*>(memory.get());

    return per_second(task, total(contend(task, nodes, [&](std::size_t me) {
                          (*reinterpret_cast<std::atomic<std::size_t>*>(bytes + me * distance))++;
                          return false;
                      })));
}

} // namespace

Result hot_page(const Task& task) {
    const std::vector<unsigned> nodes = places(task);
    const auto word = std::make_unique<Word>();

    return summary(task, contend(task, nodes, [&](std::size_t me) {
                       return word->value.exchange(nodes[me]) != nodes[me];
                   }));
}

Result mutex(const Task& task) {
    const std::vector<unsigned> nodes = places(task);
    const auto locked = std::make_unique<Locked>();
    const std::vector<Progress> progress =
        contend(task, nodes, [&](std::size_t me) { return locked->step(nodes[me]); });

    if (locked->steps != total(progress))
        throw Error("the mutex let additions get lost: {} instead of {}", locked->steps, total(progress));
    return summary(task, progress);
}

Result false_sharing(const Task& task) {
    const std::vector<unsigned> nodes = places(task);
    const double together = add_apart(task, nodes, cache_line);
    const double apart = add_apart(task, nodes, page_size);

    return {0,
            0,
            {{"threads", static_cast<double>(nodes.size())},
             {"together_per_s", together},
             {"apart_per_s", apart},
             {"slowdown", apart / together}}};
}

} // namespace procshare::bench
