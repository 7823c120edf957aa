// A statement without its literals and comments, as operators see it and as patterns of the
// configuration match it. Called by routing::classifier where there are patterns, and by what lists routes.
#pragma once

#include <string>
#include <string_view>

namespace pgsteer::routing {

// Literals and parameters become `?`, lists of them one, white space one blank; comments are left out.
// Texts of one shape (routing/shape.hpp) have one normal form. Empty where the text cannot be parsed. Needs
// parse_stack_bytes of stack; `sql` holds no zero byte and at most max_parsed_text bytes.
[[nodiscard]] std::string normal_form(std::string_view sql);

// PostgreSQL's LIKE with `*` for any characters, whatever the case; a blank stands for any white space.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view normal_form);

}  // namespace pgsteer::routing
