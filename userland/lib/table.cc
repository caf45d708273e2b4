// SPDX-License-Identifier: GPL-2.0-only
#include "table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace procshare {

std::string Table::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
    std::string text;

    for (std::size_t i = 0; i < cells.size(); i++) {
        text += i ? "  " : "";
        text += columns_[i].align == Align::left ? fmt::format("{:<{}}", cells[i], widths[i])
                                                 : fmt::format("{:>{}}", cells[i], widths[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + '\n';
}

std::string Table::text() const {
    std::vector<std::string> titles;
    std::vector<std::size_t> widths;

    for (const Column& column : columns_) {
        titles.push_back(column.title);
        widths.push_back(column.title.size());
    }
    for (const auto& cells : rows_)
        for (std::size_t i = 0; i < cells.size(); i++)
            widths[i] = std::max(widths[i], cells[i].size());

    std::string text = line(titles, widths);
    for (const auto& cells : rows_)
        text += line(cells, widths);
    return text;
}

} // namespace procshare
