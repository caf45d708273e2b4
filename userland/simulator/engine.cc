// SPDX-License-Identifier: GPL-2.0-only
#include "engine.hpp"

#include <queue>

#include "error.hpp"
#include "servers.hpp"

namespace procshare::simulator {
namespace {

using machines::Effects;
using machines::home_seat;
using machines::Parcel;
using machines::Seat;
using machines::Version;

constexpr std::uint64_t header_bytes = 24 + 32; // link header and body, see wire.h
constexpr std::uint64_t page_bytes = 4096;

std::uint64_t size_of(const coh_msg& m) {
    return header_bytes + (m.flags & COH_DATA ? page_bytes : 0);
}

struct Event {
    enum class Kind {
        touch,        // thread @who makes its access
        request,      // its fault has reached the machines
        arrive,       // the first bit of @message is at its node
        received,     // all of it is
        served,       // a server has handled it
        free,         // and is free again; @message tells which link it was
        wake,         // the waiters of @message.page at node @who look again
        release,      // node @who's minimum hold of the page is over
        release_home, // and home's, of access @who
    };
    Nanoseconds time;
    std::uint64_t number; // of several at the same time the first made comes first
    Kind kind;
    unsigned who;
    Message message;

    bool operator>(const Event& other) const {
        return time != other.time ? time > other.time : number > other.number;
    }
};

struct Thread {
    NodeId node;
    bool ended = false;
    Access access;
    Nanoseconds faulted = 0;
};

// A node's share in a page.
struct Place {
    NodeId node;
    std::vector<unsigned> waiting; // threads
    bool waking = false;
    Row row = Row::local; // of the fault being served
};

struct PageState {
    machines::Page machines;
    std::vector<Place> places; // by seat
    bool releasing = false;    // a release of home's hold is on its way
};

coh_access wanted(const Access& access) {
    return access.kind == Access::Kind::write ? COH_WRITE : COH_READ;
}

class Engine {
public:
    Engine(Workload& workload, const EngineOptions& options)
        : workload_(workload), options_(options), costs_(options.costs), nodes_(workload.nodes()),
          network_(costs_.link, nodes_), servers_(nodes_, Servers(costs_.servers)), pages_(workload.pages()) {
        for (NodeId node : workload.threads())
            threads_.push_back({node, false, {}, 0});
        for (PageId page = 0; page < pages_.size(); page++)
            pages_[page].places.push_back({home_of(page), {}, false, Row::local});
        result_.load.resize(nodes_);
        result_.nodes = nodes_;
        result_.servers = costs_.servers;
        result_.distributed = options.distributed;
        running_ = unsigned(threads_.size());
    }

    Result run() {
        for (unsigned t = 0; t < threads_.size(); t++)
            proceed(t);
        while (!events_.empty()) {
            const Event event = events_.top();
            events_.pop();
            now_ = event.time;
            happen(event);
        }
        if (running_)
            throw Error("{} threads wait for ever: the protocol has lost a request", running_);
        for (NodeId n = 0; n < nodes_; n++) {
            result_.load[n].out = network_.sending(n);
            result_.load[n].in = network_.receiving(n);
        }
        return std::move(result_);
    }

private:
    // ---- where things are ----

    NodeId home_of(PageId page) const { return options_.distributed ? NodeId(page % nodes_) : NodeId(0); }

    Seat seat_of(PageId page, NodeId node) {
        auto& places = pages_[page].places;
        for (unsigned seat = 0; seat < places.size(); seat++)
            if (places[seat].node == node)
                return Seat(seat);
        if (places.size() == max_sharers)
            throw Error("page {} is touched by more than {} nodes, which the protocol's sets of nodes do not "
                        "hold: use fewer nodes, or more pages",
                        page, max_sharers);
        places.push_back({node, {}, false, Row::local});
        return Seat(places.size() - 1);
    }

    // ---- time ----

    void at(Nanoseconds time, Event::Kind kind, unsigned who, Message message = {}) {
        events_.push({time, ++number_, kind, who, message});
    }

    void happen(const Event& e) {
        switch (e.kind) {
        case Event::Kind::touch:
            return touch(e.who);
        case Event::Kind::request:
            return request(e.who);
        case Event::Kind::arrive:
            return at(network_.receive(e.message.to, size_of(e.message.parcel.msg), now_),
                      Event::Kind::received, 0, e.message);
        case Event::Kind::received:
            servers_[e.message.to].arrive(e.message);
            return start(e.message.to);
        case Event::Kind::served:
            return serve(e.message);
        case Event::Kind::free:
            return stop(e.message);
        case Event::Kind::wake:
            return wake(e.message.page, Seat(e.who));
        case Event::Kind::release:
            return release(e.message.page, Seat(e.who));
        case Event::Kind::release_home:
            return release_home(e.message.page, static_cast<coh_access>(e.who));
        }
    }

    // ---- threads ----

    void proceed(unsigned t) {
        const auto access = workload_.next(t);
        if (!access) {
            threads_[t].ended = true;
            running_--;
            result_.makespan = std::max(result_.makespan, now_);
            return pass_barrier();
        }
        threads_[t].access = *access;
        if (access->kind == Access::Kind::barrier) {
            waiting_at_barrier_.push_back(t);
            return pass_barrier();
        }
        at(now_ + access->think, Event::Kind::touch, t);
    }

    // A perfect one: costs nothing, sends nothing.
    void pass_barrier() {
        if (waiting_at_barrier_.empty() || waiting_at_barrier_.size() < running_)
            return;
        for (unsigned t : std::exchange(waiting_at_barrier_, {}))
            proceed(t);
    }

    void touch(unsigned t) {
        Thread& thread = threads_[t];
        const Seat seat = seat_of(thread.access.page, thread.node);
        if (pages_[thread.access.page].machines.mapped(seat) >= wanted(thread.access))
            return access(t, seat);
        thread.faulted = now_;
        at(now_ + costs_.trap, Event::Kind::request, t);
    }

    void access(unsigned t, Seat seat) {
        const Access& a = threads_[t].access;
        machines::Page& page = pages_[a.page].machines;
        Version seen = 0;
        if (a.kind == Access::Kind::write ? !page.write(seat, ++version_) : !page.read(seat, seen))
            throw Error("a thread saw something else than the last write to page {}: the protocol is broken",
                        a.page);
        result_.accesses++;
        proceed(t);
    }

    void count_fault(unsigned t, Row row) {
        result_.faults[static_cast<std::size_t>(row)].latencies.push_back(now_ - threads_[t].faulted);
    }

    void request(unsigned t) {
        const PageId page = threads_[t].access.page;
        const Seat seat = seat_of(page, threads_[t].node);
        PageState& state = pages_[page];
        Effects effects;
        if (state.machines.mapped(seat) >= wanted(threads_[t].access) ||
            state.machines.fault(seat, wanted(threads_[t].access), effects)) {
            count_fault(t, Row::local);
            return access(t, seat);
        }
        state.places[seat].waiting.push_back(t);
        if (seat == home_seat)
            progress(page, effects);
        emit(page, effects, now_);
    }

    // The waiters of @seat: those that now may, have their access; the others fault again.
    void wake(PageId page, Seat seat) {
        PageState& state = pages_[page];
        Place& place = state.places[seat];
        coh_access done = COH_NONE;
        Effects effects;
        place.waking = false;
        for (unsigned t : std::exchange(place.waiting, {})) {
            const coh_access want = wanted(threads_[t].access);
            if (state.machines.mapped(seat) < want && !state.machines.fault(seat, want, effects)) {
                state.places[seat].waiting.push_back(t);
                continue;
            }
            done = std::max(done, want);
            count_fault(t, place.row);
            access(t, seat);
        }
        if (seat != home_seat)
            at(now_ + costs_.hold, Event::Kind::release, seat, {page, 0, 0, {}});
        else if (done != COH_NONE)
            at(now_ + (state.machines.home().queued ? costs_.home_hold : 0), Event::Kind::release_home, done,
               {page, 0, 0, {}});
        if (seat == home_seat)
            progress(page, effects);
        emit(page, effects, now_);
    }

    void release(PageId page, Seat seat) {
        Effects effects;
        pages_[page].machines.release(seat, effects);
        emit(page, effects, now_);
    }

    void release_home(PageId page, coh_access access) {
        Effects effects;
        pages_[page].machines.release_home(access);
        progress(page, effects);
        emit(page, effects, now_);
    }

    // ---- messages ----

    void start(NodeId node) {
        while (const auto message = servers_[node].begin()) {
            const bool data = message->parcel.msg.flags & COH_DATA;
            const Nanoseconds time = costs_.service + (data ? costs_.copy : 0);
            result_.load[node].service += time;
            result_.load[node].messages++;
            at(now_ + time, Event::Kind::served, 0, *message);
        }
    }

    void serve(const Message& message) {
        PageState& state = pages_[message.page];
        const Seat seat = message.parcel.msg.to;
        Effects effects;
        state.machines.deliver(message.parcel, effects);
        if (effects.installed)
            wake_later(message.page, seat);
        if (effects.failed)
            throw Error("a fault on page {} was refused: the protocol is broken", message.page);
        if (seat == home_seat)
            progress(message.page, effects);
        const Nanoseconds end = emit(message.page, effects, now_);
        result_.load[message.to].service += end - now_;
        at(end, Event::Kind::free, 0, message);
    }

    void stop(const Message& message) {
        servers_[message.to].end(message);
        start(message.to);
    }

    // Sends what the machines want sent, one after the other; when the last has left.
    Nanoseconds emit(PageId page, const Effects& effects, Nanoseconds time) {
        if (!effects.broken.empty())
            throw Error("page {}: {}: the protocol is broken", page, effects.broken);
        for (const Parcel& parcel : effects.sent) {
            const Message message{page, pages_[page].places[parcel.msg.from].node,
                                  pages_[page].places[parcel.msg.to].node, parcel};
            const bool data = parcel.msg.flags & COH_DATA;
            const std::uint64_t bytes = size_of(parcel.msg);
            time += costs_.sending + (data ? costs_.copy : 0);
            at(network_.send(message.from, bytes, time), Event::Kind::arrive, 0, message);
            result_.messages++;
            result_.bytes += bytes;
            result_.pages += data;
        }
        return time;
    }

    void wake_later(PageId page, Seat seat) {
        Place& place = pages_[page].places[seat];
        if (!std::exchange(place.waking, true))
            at(now_ + costs_.wake, Event::Kind::wake, seat, {page, 0, 0, {}});
    }

    // ---- home ----

    // Home serves what it can.
    void progress(PageId page, Effects& effects) {
        PageState& state = pages_[page];
        bool woke = effects.woke;
        for (;;) {
            note_row(state);
            effects.woke = false;
            if (!state.machines.serve(effects))
                break;
            woke = woke || effects.woke;
        }
        if (woke && !state.places[home_seat].waiting.empty())
            wake_later(page, home_seat);
    }

    // Which row of the protocol's table is the request that home is about to serve?
    void note_row(PageState& state) {
        const coh_home& h = state.machines.home();
        if (coh_home_next(&h) == COH_NEXT_NONE)
            return;
        const Seat head = coh_home_head(&h);
        if (head == COH_NO_NODE) {
            state.places[home_seat].row = h.home_want & COH_WANT_WRITE ? Row::home_write : Row::home_read;
            return;
        }
        state.places[head].row = row_of(h, head);
    }

    static Row row_of(const coh_home& h, Seat node) {
        const bool valid = h.state == COH_HOME_ALONE || h.state == COH_HOME_SHARED;
        const bool write = h.want_write & coh_bit(node);
        if (!write)
            return valid ? Row::remote_read_home : Row::remote_read_third;
        if (h.state == COH_HOME_OWNED)
            return Row::remote_write_third;
        return h.sharers & ~coh_bit(node) ? Row::remote_write_shared : Row::remote_write_alone;
    }

    Workload& workload_;
    const EngineOptions options_;
    const Costs costs_;
    const unsigned nodes_;
    Network network_;
    std::vector<Servers> servers_;
    std::vector<PageState> pages_;
    std::vector<Thread> threads_;
    std::vector<unsigned> waiting_at_barrier_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    Nanoseconds now_ = 0;
    std::uint64_t number_ = 0;
    Version version_ = 0;
    unsigned running_ = 0;
    Result result_;
};

} // namespace

Result simulate(Workload& workload, const EngineOptions& options) {
    return Engine(workload, options).run();
}

} // namespace procshare::simulator
