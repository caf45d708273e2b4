// SPDX-License-Identifier: GPL-2.0-only
// procshare - how long it takes to move a thread
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <semaphore>
#include <thread>

#include <dlfcn.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.hpp"
#include "inside.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace procshare::bench {
namespace {

constexpr std::uint64_t patience_ns = 10'000'000'000;

// The vDSO's, so that nothing of the C library is needed to read the clock.
using ClockGettime = int (*)(clockid_t, timespec*);

ClockGettime find_clock() {
    void* const vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
    void* const function = vdso ? dlsym(vdso, "__vdso_clock_gettime") : nullptr;

    if (!function)
        throw Error("the kernel offers no clock_gettime in its vDSO");
    return reinterpret_cast<ClockGettime>(function);
}

// Sends @request and reads the clock when that is done, with as few pages as can be: what else a thread needs
// where it arrives are page faults, which have benchmarks of their own.
[[gnu::noinline]] std::uint64_t send_and_look(const netlink::Prepared& request, ClockGettime clock) {
    const int fd = request.fd();
    const auto message = request.message();
    register long flags asm("r10") = MSG_DONTWAIT;
    register long address asm("r8") = 0;
    register long length asm("r9") = 0;
    long result;
    timespec now;

    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(SYS_sendto), "D"(fd), "S"(message.data()), "d"(message.size()), "r"(flags),
                   "r"(address), "r"(length)
                 : "rcx", "r11", "memory");
    clock(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// The moments of a journey.
enum Moment { start, arrived, returned };
using Moments = std::array<std::uint64_t, 3>;

// The calling thread, which asks for its own moves with requests made beforehand.
class Traveller {
public:
    explicit Traveller(const Task& task)
        : task_(task), there_(control_.prepare_migrate(getpid(), gettid(), task.node)),
          back_(control_.prepare_migrate(getpid(), gettid(), PROCSHARE_NODE_HOME)) {}

    Moments travel() const {
        Moments at{};

        at[start] = monotonic_ns();
        at[arrived] = leave();
        back_.send();
        await_home();
        at[returned] = monotonic_ns();
        return at;
    }

    // The thread leaves on its way back from this call; returns when it is there.
    std::uint64_t leave() const {
        const std::uint64_t now = send_and_look(there_, clock_);

        if (at_home())
            throw Error("the thread did not leave: is node {} up?", task_.node);
        return now;
    }

    // Looks seldom at the clock: in the middle of that no thread is moved.
    void await_home() const {
        const std::uint64_t deadline = monotonic_ns() + patience_ns;

        for (unsigned looks = 1; !at_home(); looks++) {
            __builtin_ia32_pause();
            if (looks % 4096 == 0 && monotonic_ns() > deadline)
                throw Error("the thread did not come home from node {}", task_.node);
        }
    }

private:
    // A process under policy home sees the processors of home only: elsewhere its threads are on none.
    static bool at_home() {
        const auto area = static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset;
        return static_cast<int>(reinterpret_cast<const volatile struct rseq*>(area)->cpu_id) >= 0;
    }

    const Task& task_;
    const Control control_; // its own socket: libnl counts requests and answers
    const netlink::Prepared there_;
    const netlink::Prepared back_;
    const ClockGettime clock_ = find_clock();
};

// Times a part of many journeys of one thread.
Result journeys(const Task& task, Moment from, Moment to) {
    Samples samples(task.count);
    const Traveller traveller(task);

    for (std::size_t round = 0; round < warm_up_rounds + task.count; round++) {
        const Moments at = traveller.travel();
        if (round >= warm_up_rounds)
            samples.note(round - warm_up_rounds, at[from], at[to]);
    }
    samples.sort();
    return {samples.median(), samples.p99()};
}

// Pages of their own: what the one thread touches must not be in the other's way.
struct alignas(page_size) Signal {
    std::counting_semaphore<> semaphore{0};
} away, back_home;
struct alignas(page_size) Asked {
    std::uint64_t at;
} asked;

// Asks for a thread that is away and computes, from a thread at home.
class Conductor {
public:
    // Constructed by the thread that is going to be asked for.
    Conductor() : thread_([tid = gettid()](const std::stop_token& stop) { conduct(stop, tid); }) {}
    Conductor(const Conductor&) = delete;
    Conductor& operator=(const Conductor&) = delete;
    ~Conductor() {
        thread_.request_stop();
        away.semaphore.release();
        back_home.semaphore.release();
    }

private:
    static void conduct(const std::stop_token& stop, pid_t tid) {
        constexpr std::chrono::milliseconds until_it_computes(2);
        const Control control;
        const netlink::Prepared back = control.prepare_migrate(getpid(), tid, PROCSHARE_NODE_HOME);

        for (away.semaphore.acquire(); !stop.stop_requested(); away.semaphore.acquire()) {
            std::this_thread::sleep_for(until_it_computes);
            asked.at = monotonic_ns();
            back.send();
            // Until then it touches nothing that the other one has with it.
            back_home.semaphore.acquire();
        }
    }

    std::jthread thread_;
};

// So that what the process before has left behind, and needed, is in nobody's way.
constexpr std::chrono::milliseconds between(100);

// The first journey of a new process.
Moments first_journey(const Task& task) {
    Moments at{};
    int ends[2];

    if (pipe(ends) != 0)
        throw Error("cannot make a pipe: {}", std::strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        try {
            at = Traveller(task).travel();
            _exit(write(ends[1], at.data(), sizeof(at)) == sizeof(at) ? EXIT_SUCCESS : EXIT_FAILURE);
        } catch (...) {
            _exit(EXIT_FAILURE);
        }
    }
    close(ends[1]);
    const bool told = child > 0 && read(ends[0], at.data(), sizeof(at)) == sizeof(at);
    close(ends[0]);
    if (child > 0)
        waitpid(child, nullptr, 0);
    if (!told)
        throw Error(
            "a new process could not move its thread to node {}: 'procshare node list' shows its state",
            task.node);
    return at;
}

} // namespace

Result migrate(const Task& task) {
    return journeys(task, start, returned);
}

Result migrate_out(const Task& task) {
    return journeys(task, start, arrived);
}

Result migrate_back(const Task& task) {
    const Traveller traveller(task);
    const Conductor conductor;
    Samples samples(task.count);

    for (std::size_t round = 0; round < warm_up_rounds + task.count; round++) {
        traveller.leave();
        away.semaphore.release();
        traveller.await_home();
        const std::uint64_t now = monotonic_ns();
        back_home.semaphore.release();
        if (round >= warm_up_rounds)
            samples.note(round - warm_up_rounds, asked.at, now);
    }
    samples.sort();
    return {samples.median(), samples.p99()};
}

Result migrate_first(const Task& task) {
    Samples samples(task.count);

    for (std::size_t round = 0; round < task.count; round++) {
        const Moments at = first_journey(task);
        samples.note(round, at[start], at[arrived]);
        std::this_thread::sleep_for(between);
    }
    samples.sort();
    return {samples.median(), samples.p99()};
}

} // namespace procshare::bench
