// SPDX-License-Identifier: GPL-2.0-only
#include "cluster_file.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "error.hpp"

namespace procshare {
namespace {

const std::string key_line = "key = \"0123456789abcdef\"\n";

std::string node(int id, const std::string& address) {
    return "[[node]]\nid = " + std::to_string(id) + "\naddress = \"" + address + "\"\n";
}

std::string complaint(const std::string& text) {
    try {
        parse_cluster_file(text, "cluster.toml");
    } catch (const Error& error) {
        return error.what();
    }
    return "none";
}

TEST(ParseClusterFile, Complete) {
    const ClusterFile file = parse_cluster_file(
        key_line + node(0, "10.77.0.1") + "port = 99\n" + node(2, "fd00::1"), "cluster.toml");

    EXPECT_EQ(file.key, "0123456789abcdef");
    ASSERT_EQ(file.nodes.size(), 2u);
    EXPECT_EQ(file.nodes[0].id, 0u);
    EXPECT_EQ(file.nodes[0].address.host(), "10.77.0.1");
    EXPECT_EQ(file.nodes[0].address.port, 99);
    EXPECT_EQ(file.nodes[1].id, 2u);
    EXPECT_EQ(file.nodes[1].address.host(), "fd00::1");
    EXPECT_EQ(file.nodes[1].address.port, PROCSHARE_DEFAULT_PORT);
}

TEST(ParseClusterFile, DuplicateAddress) {
    EXPECT_EQ(complaint(key_line + node(0, "10.77.0.1") + node(2, "10.77.0.1")),
              "cluster.toml:7: duplicate address 10.77.0.1 (nodes 0 and 2): give each node its own");
}

TEST(ParseClusterFile, DuplicateId) {
    EXPECT_EQ(complaint(key_line + node(1, "10.77.0.1") + node(1, "10.77.0.2")),
              "cluster.toml:6: duplicate id 1 (10.77.0.1 and 10.77.0.2): give each node its own");
}

TEST(ParseClusterFile, UnknownKeys) {
    EXPECT_EQ(complaint(key_line + "keys = 1\n" + node(0, "10.77.0.1")),
              "cluster.toml:2: unknown key 'keys': known here are key, key-file, node");
    EXPECT_EQ(complaint(key_line + node(0, "10.77.0.1") + "adress = \"\"\n"),
              "cluster.toml:5: unknown key 'adress': known here are id, address, port");
}

TEST(ParseClusterFile, NoNodes) {
    EXPECT_EQ(complaint(key_line), "cluster.toml:1: no nodes: add a [[node]] with id and address");
    EXPECT_EQ(complaint(key_line + "node = 3\n"),
              "cluster.toml:2: no nodes: add a [[node]] with id and address");
    EXPECT_EQ(complaint(key_line + "node = []\n"),
              "cluster.toml:2: no nodes: add a [[node]] with id and address");
    EXPECT_EQ(complaint(key_line + "[node]\nid = 1\n"),
              "cluster.toml:2: no nodes: add a [[node]] with id and address");
}

TEST(ParseClusterFile, IncompleteNode) {
    EXPECT_EQ(complaint(key_line + "[[node]]\nid = 1\n"),
              "cluster.toml:2: a node without address: every node needs id and address");
    EXPECT_EQ(complaint(key_line + "[[node]]\naddress = \"10.77.0.1\"\n"),
              "cluster.toml:2: a node without id: every node needs id and address");
}

TEST(ParseClusterFile, OddValues) {
    EXPECT_EQ(complaint(key_line + node(64, "10.77.0.1")),
              "cluster.toml:3: 'id' is not a number from 0 to 63");
    EXPECT_EQ(complaint(key_line + node(-1, "10.77.0.1")),
              "cluster.toml:3: 'id' is not a number from 0 to 63");
    EXPECT_EQ(complaint(key_line + "[[node]]\nid = \"0\"\naddress = \"10.77.0.1\"\n"),
              "cluster.toml:3: 'id' is not a number from 0 to 63");
    EXPECT_EQ(complaint(key_line + node(0, "host")),
              "cluster.toml:4: 'host' is not a numeric address: write it as 10.77.0.1 or fd00::1");
    EXPECT_EQ(complaint(key_line + "[[node]]\nid = 0\naddress = 10\n"),
              "cluster.toml:4: 'address' is not a string: put it in quotes");
    EXPECT_EQ(complaint(key_line + node(0, "10.77.0.1") + "port = 0\n"),
              "cluster.toml:5: 'port' is not a number from 1 to 65535");
}

TEST(ParseClusterFile, Key) {
    const std::string rest = node(0, "10.77.0.1");

    EXPECT_EQ(complaint(rest), "cluster.toml:1: give one of 'key' and 'key-file'");
    EXPECT_EQ(complaint(key_line + "key-file = \"k\"\n" + rest),
              "cluster.toml:1: give one of 'key' and 'key-file'");
    EXPECT_EQ(complaint("key = \"short\"\n" + rest),
              "cluster.toml:1: the key has 5 bytes: it must have 16 to 64");
    EXPECT_EQ(complaint("key = \"" + std::string(65, 'x') + "\"\n" + rest),
              "cluster.toml:1: the key has 65 bytes: it must have 16 to 64");
    EXPECT_EQ(complaint("key = 12\n" + rest), "cluster.toml:1: 'key' is not a string: put it in quotes");
    EXPECT_EQ(complaint("key-file = \"nowhere\"\n" + rest),
              "cluster.toml:1: cannot read the key file nowhere: No such file or directory");
}

TEST(ParseClusterFile, NotToml) {
    EXPECT_TRUE(complaint("key = \n").starts_with("cluster.toml:1: ")) << complaint("key = \n");
    EXPECT_EQ(complaint("key = \n").find('\n'), std::string::npos);
    EXPECT_TRUE(complaint(key_line + "key = \"again\"\n").starts_with("cluster.toml:2: "));
}

class ReadClusterFile : public testing::Test {
protected:
    ReadClusterFile() { std::filesystem::create_directory(directory_); }
    ~ReadClusterFile() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string& name, const std::string& text, unsigned mode = 0600) const {
        const auto path = directory_ / name;

        std::ofstream(path) << text;
        std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
        return path;
    }

    static std::string complaint(const std::string& path) {
        try {
            read_cluster_file(path);
        } catch (const Error& error) {
            return error.what();
        }
        return "none";
    }

    const std::filesystem::path directory_ =
        std::filesystem::temp_directory_path() / ("procshare-test-" + std::to_string(getpid()));
    const std::string with_key_file_ = "key-file = \"key\"\n" + node(0, "10.77.0.1");
};

TEST_F(ReadClusterFile, KeyFileBesideIt) {
    const std::string path = write("cluster.toml", with_key_file_, 0644);

    for (const char* end : {"", "\n", "\r\n"}) {
        write("key", std::string("0123456789abcdef") + end);
        EXPECT_EQ(read_cluster_file(path).key, "0123456789abcdef");
        EXPECT_EQ(read_cluster_file(path).exposed_key, "");
    }
}

TEST_F(ReadClusterFile, ExposedKey) {
    const std::string with_key = write("with-key.toml", key_line + node(0, "10.77.0.1"), 0640);
    const std::string key = write("key", "0123456789abcdef\n", 0604);

    EXPECT_EQ(read_cluster_file(with_key).exposed_key, with_key);
    EXPECT_EQ(read_cluster_file(write("cluster.toml", with_key_file_)).exposed_key, key);
}

TEST_F(ReadClusterFile, NotAFile) {
    EXPECT_EQ(complaint("/no/such/file"),
              "cannot read the cluster file /no/such/file: No such file or directory");
    EXPECT_EQ(complaint("/tmp"), "cannot read the cluster file /tmp: it is not a regular file");
    EXPECT_EQ(complaint(write("long", std::string(65537, '#'))),
              "cannot read the cluster file " + (directory_ / "long").string() + ": it has more than 64 KiB");
    EXPECT_TRUE(complaint(write("a", "key-file = \"/etc\"\n"))
                    .ends_with("a:1: cannot read the key file /etc: it is not a regular file"));
}

TEST(Self, ByIdOrByAddress) {
    const ClusterFile file =
        parse_cluster_file(key_line + node(0, "10.77.0.1") + node(2, "10.77.0.3"), "cluster.toml");
    const std::vector<Address> local{parse_address("127.0.0.1"), parse_address("10.77.0.3:1")};

    EXPECT_EQ(file.self(0, local).id, 0u);
    EXPECT_EQ(file.self({}, local).id, 2u);
    EXPECT_THROW(file.self(1, local), Error);
    EXPECT_THROW(file.self({}, {}), Error);
}

} // namespace
} // namespace procshare
