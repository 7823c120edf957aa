// Appends whole protocol messages to a string: what pgsteer says itself, to clients and to backends.
// Used by the login machines and by the proxy; relayed traffic is never rebuilt with it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/error_report.hpp"

// Every text is cut at its first NUL, because the wire ends strings with one.
namespace pgsteer::protocol::write {

// --- Backend messages (to clients) ---

void authentication_ok(std::string& out);
void authentication_cleartext(std::string& out);
void authentication_md5(std::string& out, std::string_view salt);  // 4 bytes
void authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms);
void sasl_continue(std::string& out, std::string_view data);
void sasl_final(std::string& out, std::string_view data);

void parameter_status(std::string& out, std::string_view name, std::string_view value);
// `secret` is 4 bytes in protocol 3.0, up to 256 from 3.2 on; raw, NULs included.
void backend_key_data(std::string& out, std::int32_t pid, std::string_view secret);
// `version` is the whole number, as PostgreSQL sends it: major << 16 | minor.
void negotiate_protocol_version(std::string& out, std::uint32_t version,
                                std::span<const std::string> unknown_options);

void ready_for_query(std::string& out, char status);  // 'I', 'T' or 'E'
void error_response(std::string& out, const error_report& report);
void notice_response(std::string& out, const error_report& report);

void command_complete(std::string& out, std::string_view tag);
void empty_query_response(std::string& out);
void parse_complete(std::string& out);
void bind_complete(std::string& out);
void close_complete(std::string& out);
void no_data(std::string& out);
void portal_suspended(std::string& out);
void parameter_description(std::string& out, std::span<const std::uint32_t> types);
// Columns of type text in text format, as SHOW describes its answer.
void row_description(std::string& out, std::span<const std::string_view> names);
void data_row(std::string& out, std::span<const std::string_view> values);

// --- Frontend messages (to backends) ---

void query(std::string& out, std::string_view sql);
void parse(std::string& out, std::string_view name, std::string_view sql,
           std::span<const std::uint32_t> types);
void describe_statement(std::string& out, std::string_view name);
void close_statement(std::string& out, std::string_view name);
void flush(std::string& out);
void sync(std::string& out);
void copy_fail(std::string& out, std::string_view reason);
void terminate(std::string& out);
void password_message(std::string& out, std::string_view password);
void sasl_initial_response(std::string& out, std::string_view mechanism, std::string_view data);
void sasl_response(std::string& out, std::string_view data);
// Its own connection, no type byte.
void cancel_request(std::string& out, std::int32_t pid, std::string_view secret);

}  // namespace pgsteer::protocol::write
