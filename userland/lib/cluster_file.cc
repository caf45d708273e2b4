// SPDX-License-Identifier: GPL-2.0-only
#include "cluster_file.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <toml++/toml.h>

#include "error.hpp"
#include "node_set.hpp"

namespace procshare {
namespace {

// Turns one parsed file into a ClusterFile; every complaint names its line.
class Reader {
public:
    explicit Reader(const std::string& name) : name_(name) {}

    ClusterFile read(const toml::table& root) {
        reject_unknown(root, {"key", "key-file", "node"});
        file_.key = read_key(root);
        const toml::array* nodes = root["node"].as_array();
        if (!nodes || !nodes->is_array_of_tables())
            fail(root["node"] ? *root["node"].node() : root, "no nodes: add a [[node]] with id and address");
        for (const toml::node& node : *nodes)
            add(*node.as_table());
        return std::move(file_);
    }

private:
    [[noreturn]] void fail(const toml::node& where, std::string_view what) const {
        throw Error("{}:{}: {}", name_, where.source().begin.line, what);
    }

    void reject_unknown(const toml::table& table, std::initializer_list<std::string_view> known) const {
        for (const auto& [key, value] : table)
            if (std::find(known.begin(), known.end(), key.str()) == known.end())
                fail(value, fmt::format("unknown key '{}': known here are {}", key.str(),
                                        fmt::join(known.begin(), known.end(), ", ")));
    }

    std::string read_string(const toml::node& node, std::string_view key) const {
        const auto text = node.value_exact<std::string>();

        if (!text)
            fail(node, fmt::format("'{}' is not a string: put it in quotes", key));
        return *text;
    }

    std::int64_t read_integer(const toml::node& node, std::string_view key, std::int64_t min,
                              std::int64_t max) const {
        const auto number = node.value_exact<std::int64_t>();

        if (!number || *number < min || *number > max)
            fail(node, fmt::format("'{}' is not a number from {} to {}", key, min, max));
        return *number;
    }

    std::string read_key(const toml::table& root) const {
        const toml::node* key = root.get("key");
        const toml::node* key_file = root.get("key-file");

        if (!key == !key_file)
            fail(root, "give one of 'key' and 'key-file'");
        const toml::node& where = key ? *key : *key_file;
        const std::string secret =
            key ? read_string(*key, "key") : read_key_file(where, read_string(where, "key-file"));
        if (secret.size() < PROCSHARE_KEY_MIN || secret.size() > PROCSHARE_KEY_MAX)
            fail(where, fmt::format("the key has {} bytes: it must have {} to {}", secret.size(),
                                    PROCSHARE_KEY_MIN, PROCSHARE_KEY_MAX));
        return secret;
    }

    std::string read_key_file(const toml::node& where, const std::string& path) const {
        const auto full = std::filesystem::path(name_).parent_path() / path;
        std::ifstream stream(full, std::ios::binary);
        std::string secret(std::istreambuf_iterator<char>(stream), {});

        if (!stream.is_open())
            fail(where, fmt::format("cannot read the key file {}: {}", full.string(), std::strerror(errno)));
        while (secret.ends_with('\n'))
            secret.pop_back();
        return secret;
    }

    void add(const toml::table& table) {
        reject_unknown(table, {"id", "address", "port"});
        const toml::node* id = table.get("id");
        const toml::node* address = table.get("address");
        ClusterNode node{};

        if (!id || !address)
            fail(table,
                 fmt::format("a node without {}: every node needs id and address", id ? "address" : "id"));
        node.id = static_cast<unsigned>(read_integer(*id, "id", 0, PROCSHARE_NODE_MAX));
        node.address = read_address(*address);
        if (const toml::node* port = table.get("port"))
            node.address.port = static_cast<std::uint16_t>(read_integer(*port, "port", 1, 65535));
        for (const ClusterNode& other : file_.nodes)
            reject_duplicate(node, other, *id, *address);
        file_.nodes.push_back(node);
    }

    Address read_address(const toml::node& node) const {
        const std::string host = read_string(node, "address");

        try {
            return parse_host(host);
        } catch (const Error& error) {
            fail(node, error.what());
        }
    }

    void reject_duplicate(const ClusterNode& node, const ClusterNode& other, const toml::node& id,
                          const toml::node& address) const {
        if (node.id == other.id)
            fail(id, fmt::format("duplicate id {} ({} and {}): give each node its own", node.id,
                                 other.address.host(), node.address.host()));
        if (node.address.same_host(other.address))
            fail(address, fmt::format("duplicate address {} (nodes {} and {}): give each node its own",
                                      node.address.host(), other.id, node.id));
    }

    const std::string& name_;
    ClusterFile file_;
};

} // namespace

const ClusterNode& ClusterFile::self(std::optional<unsigned> id, const std::vector<Address>& local) const {
    for (const ClusterNode& node : nodes) {
        if (id && *id == node.id)
            return node;
        for (const Address& address : local)
            if (!id && address.same_host(node.address))
                return node;
    }
    if (id)
        throw Error("the cluster file has no node {}: add it or give another --id", *id);
    throw Error("no address of the cluster file belongs to this machine: correct it or give --id");
}

ClusterFile parse_cluster_file(const std::string& text, const std::string& name) {
    try {
        return Reader(name).read(toml::parse(text));
    } catch (const toml::parse_error& error) {
        throw Error("{}:{}: {}", name, error.source().begin.line, error.description());
    }
}

ClusterFile read_cluster_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;

    if (!stream)
        throw Error("cannot read the cluster file {}: {}", path, std::strerror(errno));
    text << stream.rdbuf();
    return parse_cluster_file(text.str(), path);
}

} // namespace procshare
