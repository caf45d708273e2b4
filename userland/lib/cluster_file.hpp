// SPDX-License-Identifier: GPL-2.0-only
// procshare - the cluster file: who belongs to the cluster, and its key
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "address.hpp"

namespace procshare {

struct ClusterNode {
    unsigned id;
    Address address;
};

struct ClusterFile {
    std::string key;
    std::string exposed_key;        // the file that holds it, if others than its owner may use that
    std::vector<ClusterNode> nodes; // no id and no address twice, in the order of the file

    // The node of this machine: @id if given, else the one with a local address.  Throws Error.
    const ClusterNode& self(std::optional<unsigned> id, const std::vector<Address>& local) const;
};

// Throws Error with file and line.  Reads the key file, too; it is relative to the cluster file.
ClusterFile read_cluster_file(const std::string& path);
// @name: for error messages and relative key files.  @is_private: nobody but its owner may use the file.
ClusterFile parse_cluster_file(const std::string& text, const std::string& name, bool is_private = true);

} // namespace procshare
