// SPDX-License-Identifier: GPL-2.0-only
#include "printable.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>
#include <vector>

#include <fmt/format.h>

namespace procshare {
namespace {

// The C library knows characters by the locale, and must know UTF-8 whatever the user's is.  Where
// it does not, nothing but ASCII is printed as it is.
class Utf8 {
public:
    Utf8() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(uselocale(locale_)) {}
    ~Utf8() {
        uselocale(before_);
        if (locale_)
            freelocale(locale_);
    }
    Utf8(const Utf8&) = delete;
    Utf8& operator=(const Utf8&) = delete;

private:
    const locale_t locale_;
    const locale_t before_;
};

struct Character {
    std::string_view bytes;
    int columns; // negative: cannot be printed
};

// Of bytes that are no character, the first one.
Character first_character(std::string_view text) {
    std::mbstate_t state{};
    wchar_t character = 0;
    const std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);

    if (length == 0 || length > text.size()) // NUL, or not UTF-8
        return {text.substr(0, 1), -1};
    return {text.substr(0, length), wcwidth(character)};
}

std::vector<Character> characters(std::string_view text) {
    const Utf8 utf8;
    std::vector<Character> all;

    for (; !text.empty(); text.remove_prefix(all.back().bytes.size()))
        all.push_back(first_character(text));
    return all;
}

std::string escape(std::string_view bytes) {
    std::string text;

    for (const char byte : bytes)
        text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    return text;
}

} // namespace

std::string printable(std::string_view text) {
    std::string shown;

    for (const Character& character : characters(text))
        shown += character.columns < 0 ? escape(character.bytes) : character.bytes;
    return shown;
}

std::size_t columns(std::string_view text) {
    std::size_t sum = 0;

    for (const Character& character : characters(text))
        sum += static_cast<std::size_t>(std::max(character.columns, 0));
    return sum;
}

} // namespace procshare
