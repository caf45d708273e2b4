// SPDX-License-Identifier: GPL-2.0-only
// procshare - the operations of the kernel's control interface, typed
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "address.hpp"
#include "netlink.hpp"
#include "node_set.hpp"
#include "policy.hpp"
#include "statistics.hpp"

namespace procshare {

struct Node {
    unsigned id;
    procshare_node_state state;
    Address address;
    std::string reason; // why it is down
    std::uint64_t messages_out;
    std::uint64_t messages_in;
    std::uint64_t bytes_out;
    std::uint64_t bytes_in;
};

struct Thread {
    unsigned tid;
    unsigned node;
    std::uint64_t remote_user_ns;
    std::uint64_t home_user_ns;
    std::string name;
};

struct Process {
    std::uint64_t id = 0;
    unsigned pid = 0;
    std::string name;
    Policy policy;
    NodeSet nodes = 0; // 0: all
    std::vector<Thread> threads;
    Statistics statistics;
};

struct Echo {
    std::uint32_t min_ns;
    std::uint32_t median_ns;
    std::uint32_t p99_ns;
    std::uint32_t mean_ns;
    std::uint64_t total_ns; // from the first request to the last reply
};

// Every operation throws Error; netlink::Refusal if the kernel said no.
class Control {
public:
    void join(unsigned id, const Address& address, const std::string& key);
    void leave();
    void add(unsigned id, const Address& address);
    void set(unsigned id, const Address& address);
    void del(unsigned id);
    std::vector<Node> nodes();
    // The nodes of the table.
    NodeSet known_nodes();
    // The node of this machine.  Throws Error if it has not joined.
    unsigned self();

    // Shares the calling process from its next exec on; the session's id.  With @home_cpus it sees
    // the processors of its home only.
    std::uint64_t attach(const Policy& policy, NodeSet nodes, bool home_cpus = false);
    // @tid 0: all threads.  @node: may be PROCSHARE_NODE_HOME.
    void migrate(int pid, int tid, unsigned node);
    netlink::Prepared prepare_migrate(int pid, int tid, unsigned node) const;
    std::vector<Process> processes();
    Statistics session(std::uint64_t session);

    // @count requests of @request bytes, @window of them under way at the same time.
    Echo echo(unsigned node, std::uint32_t request, std::uint32_t reply, std::uint32_t count,
              std::uint32_t window = 1);

private:
    netlink::Request node_request(std::uint8_t command, unsigned id, const Address& address) const;
    netlink::Request migrate_request(int pid, int tid, unsigned node) const;

    netlink::Socket socket_;
};

// "self", "down", "up" or "lost".
std::string_view format_state(procshare_node_state state);

} // namespace procshare
