// The names that prepared statements have on servers, in what servers say of them.
// Called by the relay for errors alone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pgsteer::protocol {

// "pgsteer_17": the statement of that number, on every backend that has it.
[[nodiscard]] std::string statement_name_on_server(std::uint64_t number);

// Whether a statement of this name could meet one of those.
[[nodiscard]] bool is_statement_name_on_server(std::string_view name);

// The client's own name of a statement, empty for the unnamed one; nothing where it has none of that number.
using client_name = std::function<std::optional<std::string>(std::uint64_t number)>;

// An ErrorResponse, whole, that names a statement as the server knows it: the same with the client's names.
// Nothing where none is named. https://www.postgresql.org/docs/15/protocol-error-fields.html
[[nodiscard]] std::optional<std::string> with_client_names(std::string_view error_response,
                                                           const client_name& name_of);

}  // namespace pgsteer::protocol
