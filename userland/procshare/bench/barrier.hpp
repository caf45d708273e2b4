// SPDX-License-Identifier: GPL-2.0-only
// procshare - the barrier of pthreads, on a page of its own
#pragma once

#include <pthread.h>

#include "worker.hpp"

namespace procshare::bench {

class alignas(page_size) Barrier {
public:
    explicit Barrier(std::size_t threads) {
        pthread_barrier_init(&barrier_, nullptr, static_cast<unsigned>(threads));
    }
    ~Barrier() { pthread_barrier_destroy(&barrier_); }
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;

    void wait() { pthread_barrier_wait(&barrier_); }

private:
    pthread_barrier_t barrier_;
};

} // namespace procshare::bench
