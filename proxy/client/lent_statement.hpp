// SQL's EXECUTE of a statement that was prepared by the protocol: the server knows it by another
// name, so it is lent the client's name for as long as the query takes. Used by the session.
#pragma once

#include <string>
#include <string_view>

#include "protocol/gather.hpp"
#include "proxy/client/extended_unit.hpp"

namespace pgsteer::proxy {

// The name in `EXECUTE name ...`, folded as PostgreSQL folds it; empty for any other text.
[[nodiscard]] std::string executed_name(std::string_view sql);

// The name that the text, judged as `c`, must find on the server; empty for none.
[[nodiscard]] std::string lent_name(const routing::classification& c, std::string_view sql);

// In front of the query, and behind it.
void lend_statement(std::string_view name, const prepared_statement& s, backend_wire& wire,
                    protocol::gather& out);
void take_back_statement(std::string_view name, backend_wire& wire, protocol::gather& out);

// pg_prepared_statements is to list what this client has prepared, as it has named it: in front of the unit
// that reads it, and behind it. What other clients have left on the server connection is closed.
void show_own_statements(const client_statements& names, backend_wire& wire, protocol::gather& out);
void hide_own_statements(const client_statements& names, backend_wire& wire, protocol::gather& out);

}  // namespace pgsteer::proxy
