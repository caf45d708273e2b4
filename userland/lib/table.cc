// SPDX-License-Identifier: GPL-2.0-only
#include "table.hpp"

#include <algorithm>

#include "printable.hpp"

namespace procshare {

void Table::row(std::vector<std::string> cells) {
    for (std::string& cell : cells)
        cell = printable(cell);
    rows_.push_back(std::move(cells));
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
    std::string text;

    for (std::size_t i = 0; i < cells.size(); i++) {
        const std::string blanks(widths[i] - columns(cells[i]), ' ');
        text += i ? "  " : "";
        text += columns_[i].align == Align::left ? cells[i] + blanks : blanks + cells[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + '\n';
}

std::string Table::text() const {
    std::vector<std::string> titles;
    std::vector<std::size_t> widths;

    for (const Column& column : columns_) {
        titles.push_back(column.title);
        widths.push_back(columns(column.title));
    }
    for (const auto& cells : rows_)
        for (std::size_t i = 0; i < cells.size(); i++)
            widths[i] = std::max(widths[i], columns(cells[i]));

    std::string text = line(titles, widths);
    for (const auto& cells : rows_)
        text += line(cells, widths);
    return text;
}

} // namespace procshare
