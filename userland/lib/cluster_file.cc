// SPDX-License-Identifier: GPL-2.0-only
#include "cluster_file.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include <toml++/toml.h>

#include "error.hpp"
#include "node_set.hpp"
#include "small_file.hpp"

namespace procshare {
namespace {

// Turns one parsed file into a ClusterFile; every complaint names its line.
class Reader {
public:
    Reader(const std::string& name, bool is_private) : name_(name), is_private_(is_private) {}

    ClusterFile read(const toml::table& root) {
        reject_unknown(root, {"key", "key-file", "node"});
        read_key(root);
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

    void read_key(const toml::table& root) {
        const toml::node* key = root.get("key");
        const toml::node* key_file = root.get("key-file");

        if (!key == !key_file)
            fail(root, "give one of 'key' and 'key-file'");
        const toml::node& where = key ? *key : *key_file;
        if (key_file)
            read_key_file(where, read_string(where, "key-file"));
        else
            take_key(read_string(where, "key"), name_, is_private_);
        if (file_.key.size() < PROCSHARE_KEY_MIN || file_.key.size() > PROCSHARE_KEY_MAX)
            fail(where, fmt::format("the key has {} bytes: it must have {} to {}", file_.key.size(),
                                    PROCSHARE_KEY_MIN, PROCSHARE_KEY_MAX));
    }

    void take_key(std::string_view key, const std::string& path, bool is_private) {
        file_.key = key;
        file_.exposed_key = is_private ? "" : path;
    }

    void read_key_file(const toml::node& where, const std::string& name) {
        const std::string path = std::filesystem::path(name_).parent_path() / name;

        try {
            const SmallFile file = read_small_file(path, "key file");
            take_key(file.text.substr(0, file.text.find_last_not_of("\r\n") + 1), path,
                     file.private_to_owner);
        } catch (const Error& error) {
            fail(where, error.what());
        }
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
    const bool is_private_;
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

ClusterFile parse_cluster_file(const std::string& text, const std::string& name, bool is_private) {
    try {
        return Reader(name, is_private).read(toml::parse(text));
    } catch (const toml::parse_error& error) {
        throw Error("{}:{}: {}", name, error.source().begin.line, error.description());
    }
}

ClusterFile read_cluster_file(const std::string& path) {
    const SmallFile file = read_small_file(path, "cluster file");

    return parse_cluster_file(file.text, path, file.private_to_owner);
}

} // namespace procshare
