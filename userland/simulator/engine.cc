// SPDX-License-Identifier: GPL-2.0-only
#include "engine.hpp"

#include "error.hpp"
#include "events.hpp"
#include "servers.hpp"

namespace procshare::simulator {
namespace {

using machines::Effects;
using machines::home_seat;
using machines::Parcel;
using machines::Seat;
using machines::Version;

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
    bool zero = false;    // home need not send the page
};

struct PageState {
    machines::Page machines;
    std::vector<Place> places;   // by seat
    bool releasing = false;      // a release of home's hold is on its way
    unsigned discards = 0;       // that home waits for
    std::vector<unsigned> early; // threads whose turn it is not yet
};

coh_access wanted(bool write) {
    return write ? COH_WRITE : COH_READ;
}

coh_access wanted(const Access& access) {
    return wanted(access.kind == Access::Kind::write);
}

class Engine {
public:
    Engine(Workload& workload, const EngineOptions& options)
        : workload_(workload), options_(options), costs_(options.costs), nodes_(workload.nodes()),
          network_(costs_.link, nodes_), servers_(nodes_, Servers(costs_.servers)), pages_(workload.pages()) {
        for (NodeId node : workload.threads())
            threads_.push_back({node, false, {}, 0});
        for (PageId page = 0; page < pages_.size(); page++)
            pages_[page].places.push_back({home_of(page), {}});
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
            const Event event = events_.take();
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
        places.push_back({node, {}});
        return Seat(places.size() - 1);
    }

    // ---- time ----

    void at(Nanoseconds time, Event::Kind kind, unsigned who, Message message = {}) {
        events_.add(time, kind, who, message);
    }

    void happen(const Event& e) {
        switch (e.kind) {
        case Event::Kind::touch:
            return touch(e.who);
        case Event::Kind::request:
            return request(e.who);
        case Event::Kind::arrive:
            return at(network_.receive(e.message.to, message_bytes(e.message.page_follows), now_),
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
        const Access& a = thread.access;
        const bool touches = a.kind == Access::Kind::read || a.kind == Access::Kind::write;
        const Seat seat = seat_of(a.page, thread.node);
        const bool mapped = touches && may(pages_[a.page], seat, wanted(a));
        if (!workload_.begin(t, mapped))
            return pages_[a.page].early.push_back(t);
        thread.faulted = now_;
        if (touches && !mapped)
            return at(now_ + costs_.trap, Event::Kind::request, t);
        if (a.kind == Access::Kind::discard)
            discard(a.page);
        ask_ahead(t, now_);
        return touches ? access(t, seat) : over(t);
    }

    // The right to write that came without being asked for is used by a fault of its own.
    static bool may(const PageState& state, Seat seat, coh_access access) {
        return state.machines.mapped(seat) >= access &&
               (access == COH_READ || !state.machines.unwritten(seat));
    }

    // The thread's access is over.
    void over(unsigned t) {
        const PageId page = threads_[t].access.page;
        workload_.end(t);
        look_again(page);
        proceed(t);
    }

    void look_again(PageId page) {
        for (unsigned t : std::exchange(pages_[page].early, {}))
            at(now_, Event::Kind::touch, t);
    }

    void discard(PageId page) {
        Effects effects;
        pages_[page].machines.begin_change(COH_WANT_DISCARD);
        pages_[page].discards++;
        progress(page, effects);
        emit(page, effects, now_);
    }

    void ask_ahead(unsigned t, Nanoseconds time) {
        for (const Ahead& ahead : threads_[t].access.ahead) {
            const Seat seat = seat_of(ahead.page, threads_[t].node);
            PageState& state = pages_[ahead.page];
            Effects effects;
            state.machines.expect(seat, wanted(ahead.write), effects);
            state.places[seat].zero = ahead.zero;
            if (seat == home_seat)
                progress(ahead.page, effects);
            time = emit(ahead.page, effects, time);
            look_again(ahead.page);
        }
    }

    void access(unsigned t, Seat seat) {
        const Access& a = threads_[t].access;
        machines::Page& page = pages_[a.page].machines;
        Version seen = 0;
        if (a.kind == Access::Kind::write ? !page.write(seat, ++version_) : !page.read(seat, seen))
            throw Error("a thread saw something else than the last write to page {}: the protocol is broken",
                        a.page);
        result_.accesses++;
        over(t);
    }

    void count_fault(unsigned t, Row row) {
        result_.faults[static_cast<std::size_t>(row)].latencies.push_back(now_ - threads_[t].faulted);
    }

    void request(unsigned t) {
        const PageId page = threads_[t].access.page;
        const Seat seat = seat_of(page, threads_[t].node);
        PageState& state = pages_[page];
        Effects effects;
        if (state.machines.fault(seat, wanted(threads_[t].access), effects)) {
            ask_ahead(t, now_);
            count_fault(t, Row::local);
            return access(t, seat);
        }
        state.places[seat].waiting.push_back(t);
        state.places[seat].zero = threads_[t].access.zero;
        if (seat == home_seat)
            progress(page, effects);
        ask_ahead(t, emit(page, effects, now_));
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
        look_again(page);
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
            const Nanoseconds time = costs_.service + (message->page_follows ? costs_.copy : 0);
            result_.load[node].service += time;
            result_.load[node].messages++;
            at(now_ + time, Event::Kind::served, 0, *message);
        }
    }

    void serve(const Message& message) {
        PageState& state = pages_[message.page];
        const Seat seat = message.parcel.msg.to;
        const coh_access mapped = state.machines.mapped(seat);
        Effects effects;
        state.machines.deliver(message.parcel, effects);
        if (effects.installed)
            install(message.page, seat, mapped, effects);
        if (effects.failed)
            throw Error("a fault on page {} was refused: the protocol is broken", message.page);
        if (seat == home_seat)
            progress(message.page, effects);
        const Nanoseconds end = emit(message.page, effects, now_);
        result_.load[message.to].service += end - now_;
        at(end, Event::Kind::free, 0, message);
        look_again(message.page);
    }

    // A page that nobody waits for any more is not mapped, and not held.
    void install(PageId page, Seat seat, coh_access mapped, Effects& effects) {
        PageState& state = pages_[page];
        if (!state.places[seat].waiting.empty())
            return wake_later(page, seat);
        state.machines.unmap(seat, mapped);
        state.machines.release(seat, effects);
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
            const Place &from = pages_[page].places[parcel.msg.from],
                        &to = pages_[page].places[parcel.msg.to];
            const bool zero = parcel.msg.from == home_seat && to.zero;
            const bool data = parcel.msg.flags & COH_DATA && !zero;
            const Message message{page, from.node, to.node, parcel, data};
            const std::uint64_t bytes = message_bytes(message.page_follows);
            time += costs_.sending + (data ? costs_.copy : 0);
            at(network_.send(message.from, bytes, time), Event::Kind::arrive, 0, message);
            result_.messages++;
            result_.types[parcel.msg.type]++;
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
        do {
            if (std::exchange(effects.woke, false)) {
                if (!state.places[home_seat].waiting.empty())
                    wake_later(page, home_seat);
                else
                    state.machines.release_home(COH_WRITE); // nobody is going to use that
                end_discards(state);
            }
            note_row(state);
        } while (state.machines.serve(effects) || effects.woke);
        look_again(page);
    }

    void end_discards(PageState& state) {
        if (!state.machines.change_ready(COH_WANT_DISCARD))
            return;
        while (state.discards) {
            state.machines.end_change(COH_WANT_DISCARD, ++version_);
            state.discards--;
        }
    }

    // Which row of the protocol's table is the request that home is about to serve?
    static void note_row(PageState& state) {
        const coh_home& h = state.machines.home();
        if (coh_home_next(&h) == COH_NEXT_NONE)
            return;
        const Seat head = coh_home_head(&h);
        state.places[head == COH_NO_NODE ? home_seat : head].row = next_row(h);
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
    Events events_;
    Nanoseconds now_ = 0;
    Version version_ = 0;
    unsigned running_ = 0;
    Result result_;
};

} // namespace

Result simulate(Workload& workload, const EngineOptions& options) {
    return Engine(workload, options).run();
}

} // namespace procshare::simulator
