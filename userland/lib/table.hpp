// SPDX-License-Identifier: GPL-2.0-only
// procshare - aligned columns for people
#pragma once

#include <string>
#include <vector>

namespace procshare {

class Table {
public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::right;
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // What a terminal would not print as it is, is escaped.
    void row(std::vector<std::string> cells);
    // Every line ends in a newline, none in blanks.
    std::string text() const;

private:
    std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace procshare
