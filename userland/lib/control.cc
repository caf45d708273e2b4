// SPDX-License-Identifier: GPL-2.0-only
#include "control.hpp"

#include <algorithm>

namespace procshare {

using netlink::Attributes;
using netlink::Request;

static Node read_node(const Attributes& from) {
    Node node{};
    node.id = static_cast<unsigned>(from.number(PROCSHARE_A_NODE_ID));
    node.state = static_cast<procshare_node_state>(from.number(PROCSHARE_A_NODE_STATE));
    node.address.v6 = from.has(PROCSHARE_A_NODE_ADDR6);
    node.address.port = static_cast<std::uint16_t>(from.number(PROCSHARE_A_NODE_PORT));
    const auto bytes = from.bytes(node.address.v6 ? PROCSHARE_A_NODE_ADDR6 : PROCSHARE_A_NODE_ADDR4);
    std::copy_n(bytes.begin(), std::min(bytes.size(), node.address.bytes.size()), node.address.bytes.begin());
    node.reason = from.text(PROCSHARE_A_NODE_REASON);
    node.messages_out = from.number(PROCSHARE_A_NODE_MESSAGES_OUT);
    node.messages_in = from.number(PROCSHARE_A_NODE_MESSAGES_IN);
    node.bytes_out = from.number(PROCSHARE_A_NODE_BYTES_OUT);
    node.bytes_in = from.number(PROCSHARE_A_NODE_BYTES_IN);
    return node;
}

static Thread read_thread(const Attributes& from) {
    return {static_cast<unsigned>(from.number(PROCSHARE_A_THREAD_TID)),
            static_cast<unsigned>(from.number(PROCSHARE_A_THREAD_NODE)),
            from.number(PROCSHARE_A_THREAD_REMOTE_USER_NS), from.number(PROCSHARE_A_THREAD_HOME_USER_NS),
            from.text(PROCSHARE_A_THREAD_COMM)};
}

static Usage read_usage(const Attributes& from) {
    Usage usage;
    usage.node = static_cast<unsigned>(from.number(PROCSHARE_A_USAGE_NODE));
    usage.threads = static_cast<unsigned>(from.number(PROCSHARE_A_USAGE_THREADS));
    usage.user_ns = from.number(PROCSHARE_A_USAGE_USER_NS);
    usage.system_ns = from.number(PROCSHARE_A_USAGE_SYSTEM_NS);
    for (std::size_t i = 0; i < usage.counters.size(); i++)
        usage.counters[i] = from.number(static_cast<int>(PROCSHARE_A_USAGE_FAULT_READ + i));
    return usage;
}

// A message of process-get or stats-get carries reasons or one node's usage.
static void read_statistics(const Attributes& from, Statistics& statistics) {
    if (from.has(PROCSHARE_A_PROCESS_REASONS)) {
        const Attributes reasons = from.nest(PROCSHARE_A_PROCESS_REASONS);
        for (std::size_t i = 0; i < statistics.reasons.size(); i++)
            statistics.reasons[i] = reasons.number(static_cast<int>(PROCSHARE_A_REASONS_ASKED + i));
    }
    if (from.has(PROCSHARE_A_PROCESS_USAGE))
        statistics.usage.push_back(read_usage(from.nest(PROCSHARE_A_PROCESS_USAGE)));
}

static void read_process_part(const Attributes& from, Process& process) {
    if (from.has(PROCSHARE_A_PROCESS_PID)) {
        process.pid = static_cast<unsigned>(from.number(PROCSHARE_A_PROCESS_PID));
        process.name = from.text(PROCSHARE_A_PROCESS_COMM);
        process.policy.kind = static_cast<procshare_policy>(from.number(PROCSHARE_A_PROCESS_POLICY));
        process.policy.bounce_ms = static_cast<unsigned>(from.number(PROCSHARE_A_PROCESS_BOUNCE_MS));
        process.nodes = from.number(PROCSHARE_A_PROCESS_NODES);
    }
    if (from.has(PROCSHARE_A_PROCESS_THREAD))
        process.threads.push_back(read_thread(from.nest(PROCSHARE_A_PROCESS_THREAD)));
    read_statistics(from, process.statistics);
}

Request Control::node_request(std::uint8_t command, unsigned id, const Address& address) const {
    Request request = socket_.request(command);
    const int type = address.v6 ? PROCSHARE_A_NODE_ADDR6 : PROCSHARE_A_NODE_ADDR4;

    request.put_u32(PROCSHARE_A_NODE_ID, id)
        .put_bytes(type, std::span(address.bytes).first(address.size()))
        .put_u16(PROCSHARE_A_NODE_PORT, address.port);
    return request;
}

void Control::join(unsigned id, const Address& address, const std::string& key) {
    socket_.call(node_request(PROCSHARE_CMD_NODE_JOIN, id, address)
                     .put_bytes(PROCSHARE_A_NODE_KEY, std::as_bytes(std::span(key))));
}

void Control::leave() {
    socket_.call(socket_.request(PROCSHARE_CMD_NODE_LEAVE));
}

void Control::add(unsigned id, const Address& address) {
    socket_.call(node_request(PROCSHARE_CMD_NODE_ADD, id, address));
}

void Control::set(unsigned id, const Address& address) {
    socket_.call(node_request(PROCSHARE_CMD_NODE_SET, id, address));
}

void Control::del(unsigned id) {
    socket_.call(socket_.request(PROCSHARE_CMD_NODE_DEL).put_u32(PROCSHARE_A_NODE_ID, id));
}

std::vector<Node> Control::nodes() {
    std::vector<Node> nodes;

    socket_.call(socket_.request(PROCSHARE_CMD_NODE_GET, NLM_F_DUMP),
                 [&](const Attributes& reply) { nodes.push_back(read_node(reply)); });
    return nodes;
}

NodeSet Control::known_nodes() {
    NodeSet known = 0;

    for (const Node& node : nodes())
        known |= node_bit(node.id);
    return known;
}

unsigned Control::self() {
    for (const Node& node : nodes())
        if (node.state == PROCSHARE_NODE_SELF)
            return node.id;
    throw Error("this machine has not joined a cluster: 'procshare node join' does that");
}

std::uint64_t Control::attach(const Policy& policy, NodeSet nodes, bool home_cpus) {
    Request request = socket_.request(PROCSHARE_CMD_PROCESS_ATTACH);
    std::uint64_t session = 0;

    request.put_u32(PROCSHARE_A_PROCESS_POLICY, policy.kind).put_u64(PROCSHARE_A_PROCESS_NODES, nodes);
    if (policy.kind == PROCSHARE_POLICY_BOUNCE)
        request.put_u32(PROCSHARE_A_PROCESS_BOUNCE_MS, policy.bounce_ms);
    if (home_cpus)
        request.put_flag(PROCSHARE_A_PROCESS_HOME_CPUS);
    socket_.call(request,
                 [&](const Attributes& reply) { session = reply.number(PROCSHARE_A_PROCESS_SESSION); });
    return session;
}

Request Control::migrate_request(int pid, int tid, unsigned node) const {
    Request request = socket_.request(PROCSHARE_CMD_MIGRATE);

    request.put_u32(PROCSHARE_A_PROCESS_PID, pid).put_u32(PROCSHARE_A_PROCESS_NODE, node);
    if (tid)
        request.put_u32(PROCSHARE_A_PROCESS_TID, tid);
    return request;
}

void Control::migrate(int pid, int tid, unsigned node) {
    socket_.call(migrate_request(pid, tid, node));
}

netlink::Prepared Control::prepare_migrate(int pid, int tid, unsigned node) const {
    return socket_.prepare(migrate_request(pid, tid, node));
}

std::vector<Process> Control::processes() {
    std::vector<Process> processes;

    socket_.call(socket_.request(PROCSHARE_CMD_PROCESS_GET, NLM_F_DUMP), [&](const Attributes& reply) {
        const std::uint64_t id = reply.number(PROCSHARE_A_PROCESS_ID);
        if (processes.empty() || processes.back().id != id)
            processes.emplace_back().id = id;
        read_process_part(reply, processes.back());
    });
    return processes;
}

Statistics Control::session(std::uint64_t session) {
    Statistics statistics;

    socket_.call(
        socket_.request(PROCSHARE_CMD_STATS_GET, NLM_F_DUMP).put_u64(PROCSHARE_A_PROCESS_SESSION, session),
        [&](const Attributes& reply) { read_statistics(reply, statistics); });
    return statistics;
}

Echo Control::echo(unsigned node, std::uint32_t request, std::uint32_t reply, std::uint32_t count,
                   std::uint32_t window) {
    Echo echo{};

    socket_.call(socket_.request(PROCSHARE_CMD_BENCH_ECHO)
                     .put_u32(PROCSHARE_A_ECHO_NODE, node)
                     .put_u32(PROCSHARE_A_ECHO_REQUEST, request)
                     .put_u32(PROCSHARE_A_ECHO_REPLY, reply)
                     .put_u32(PROCSHARE_A_ECHO_COUNT, count)
                     .put_u32(PROCSHARE_A_ECHO_WINDOW, window),
                 [&](const Attributes& answer) {
                     echo.min_ns = static_cast<std::uint32_t>(answer.number(PROCSHARE_A_ECHO_MIN_NS));
                     echo.median_ns = static_cast<std::uint32_t>(answer.number(PROCSHARE_A_ECHO_MEDIAN_NS));
                     echo.p99_ns = static_cast<std::uint32_t>(answer.number(PROCSHARE_A_ECHO_P99_NS));
                     echo.mean_ns = static_cast<std::uint32_t>(answer.number(PROCSHARE_A_ECHO_MEAN_NS));
                     echo.total_ns = answer.number(PROCSHARE_A_ECHO_TOTAL_NS);
                 });
    return echo;
}

std::string_view format_state(procshare_node_state state) {
    switch (state) {
    case PROCSHARE_NODE_SELF:
        return "self";
    case PROCSHARE_NODE_DOWN:
        return "down";
    case PROCSHARE_NODE_UP:
        return "up";
    case PROCSHARE_NODE_LOST:
        return "lost";
    }
    return "unknown";
}

} // namespace procshare
