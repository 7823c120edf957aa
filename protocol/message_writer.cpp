#include "protocol/message_writer.hpp"

#include <cassert>
#include <cstddef>
#include <cstring>
#include <limits>

namespace pgsteer::protocol::write {

namespace {

constexpr std::uint32_t text_oid = 25;
constexpr std::uint32_t cancel_request_code = 80877102;

void put_int16(std::string& out, std::size_t value) {
  assert(value <= std::numeric_limits<std::uint16_t>::max());
  const auto wire = __builtin_bswap16(static_cast<std::uint16_t>(value));
  out.append(reinterpret_cast<const char*>(&wire), sizeof wire);
}

void put_int32(std::string& out, std::uint32_t value) {
  const auto wire = __builtin_bswap32(value);
  out.append(reinterpret_cast<const char*>(&wire), sizeof wire);
}

void put_string(std::string& out, std::string_view text) {
  out.append(text.substr(0, text.find('\0')));
  out.push_back('\0');
}

// Writes type and length, the length once the body is known.
class message {
 public:
  message(std::string& out, char type) : out_(out) {
    out_.push_back(type);
    start_ = out_.size();
    put_int32(out_, 0);
  }
  message(const message&) = delete;
  message& operator=(const message&) = delete;

  ~message() {
    const auto length = out_.size() - start_;
    assert(length <= std::size_t{std::numeric_limits<std::int32_t>::max()});
    const auto wire = __builtin_bswap32(static_cast<std::uint32_t>(length));
    std::memcpy(out_.data() + start_, &wire, sizeof wire);
  }

 private:
  std::string& out_;
  std::size_t start_ = 0;
};

void put_empty(std::string& out, char type) {
  const message m(out, type);
}

void put_authentication(std::string& out, std::uint32_t code, std::string_view data) {
  const message m(out, 'R');
  put_int32(out, code);
  out.append(data);
}

void put_fields(std::string& out, char type, const error_report& report) {
  const message m(out, type);
  const auto put_field = [&out](char code, std::string_view value) {
    if (value.empty()) return;
    out.push_back(code);
    put_string(out, value);
  };
  put_field('S', report.severity_localized.empty() ? report.severity : report.severity_localized);
  put_field('V', report.severity);
  for (const auto& field : error_field_table<std::string>)
    put_field(field.code, report.*(field.member));
  out.push_back('\0');
}

void put_statement_name(std::string& out, char type, std::string_view name) {
  const message m(out, type);
  out.push_back('S');
  put_string(out, name);
}

}  // namespace

void authentication_ok(std::string& out) {
  put_authentication(out, 0, {});
}

void authentication_cleartext(std::string& out) {
  put_authentication(out, 3, {});
}

void authentication_md5(std::string& out, std::string_view salt) {
  assert(salt.size() == 4);
  put_authentication(out, 5, salt);
}

void authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms) {
  const message m(out, 'R');
  put_int32(out, 10);
  for (const auto mechanism : mechanisms)
    put_string(out, mechanism);
  out.push_back('\0');
}

void sasl_continue(std::string& out, std::string_view data) {
  put_authentication(out, 11, data);
}

void sasl_final(std::string& out, std::string_view data) {
  put_authentication(out, 12, data);
}

void parameter_status(std::string& out, std::string_view name, std::string_view value) {
  const message m(out, 'S');
  put_string(out, name);
  put_string(out, value);
}

void backend_key_data(std::string& out, std::int32_t pid, std::string_view secret) {
  const message m(out, 'K');
  put_int32(out, static_cast<std::uint32_t>(pid));
  out.append(secret);
}

void negotiate_protocol_version(std::string& out, std::uint32_t version,
                                std::span<const std::string> unknown_options) {
  const message m(out, 'v');
  put_int32(out, version);
  put_int32(out, static_cast<std::uint32_t>(unknown_options.size()));
  for (const auto& option : unknown_options)
    put_string(out, option);
}

void ready_for_query(std::string& out, char status) {
  const message m(out, 'Z');
  out.push_back(status);
}

void error_response(std::string& out, const error_report& report) {
  put_fields(out, 'E', report);
}

void notice_response(std::string& out, const error_report& report) {
  put_fields(out, 'N', report);
}

void command_complete(std::string& out, std::string_view tag) {
  const message m(out, 'C');
  put_string(out, tag);
}

void empty_query_response(std::string& out) {
  put_empty(out, 'I');
}
void parse_complete(std::string& out) {
  put_empty(out, '1');
}
void bind_complete(std::string& out) {
  put_empty(out, '2');
}
void close_complete(std::string& out) {
  put_empty(out, '3');
}
void no_data(std::string& out) {
  put_empty(out, 'n');
}
void portal_suspended(std::string& out) {
  put_empty(out, 's');
}

void parameter_description(std::string& out, std::span<const std::uint32_t> types) {
  const message m(out, 't');
  put_int16(out, types.size());
  for (const auto type : types)
    put_int32(out, type);
}

void row_description(std::string& out, std::span<const std::string_view> names) {
  const message m(out, 'T');
  put_int16(out, names.size());
  for (const auto name : names) {
    put_string(out, name);
    put_int32(out, 0);            // no table
    put_int16(out, 0);            // no column of one
    put_int32(out, text_oid);     // type
    put_int16(out, 0xffff);       // variable length
    put_int32(out, 0xffffffffU);  // no type modifier
    put_int16(out, 0);            // text format
  }
}

void data_row(std::string& out, std::span<const std::string_view> values) {
  const message m(out, 'D');
  put_int16(out, values.size());
  for (const auto value : values) {
    put_int32(out, static_cast<std::uint32_t>(value.size()));
    out.append(value);
  }
}

void query(std::string& out, std::string_view sql) {
  const message m(out, 'Q');
  put_string(out, sql);
}

void parse(std::string& out, std::string_view name, std::string_view sql,
           std::span<const std::uint32_t> types) {
  const message m(out, 'P');
  put_string(out, name);
  put_string(out, sql);
  put_int16(out, types.size());
  for (const auto type : types)
    put_int32(out, type);
}

void describe_statement(std::string& out, std::string_view name) {
  put_statement_name(out, 'D', name);
}
void close_statement(std::string& out, std::string_view name) {
  put_statement_name(out, 'C', name);
}
void flush(std::string& out) {
  put_empty(out, 'H');
}
void sync(std::string& out) {
  put_empty(out, 'S');
}

void copy_fail(std::string& out, std::string_view reason) {
  const message m(out, 'f');
  put_string(out, reason);
}

void terminate(std::string& out) {
  put_empty(out, 'X');
}

void password_message(std::string& out, std::string_view password) {
  const message m(out, 'p');
  put_string(out, password);
}

void sasl_initial_response(std::string& out, std::string_view mechanism, std::string_view data) {
  const message m(out, 'p');
  put_string(out, mechanism);
  put_int32(out, static_cast<std::uint32_t>(data.size()));
  out.append(data);
}

void sasl_response(std::string& out, std::string_view data) {
  const message m(out, 'p');
  out.append(data);
}

void cancel_request(std::string& out, std::int32_t pid, std::string_view secret) {
  put_int32(out, static_cast<std::uint32_t>(12 + secret.size()));
  put_int32(out, cancel_request_code);
  put_int32(out, static_cast<std::uint32_t>(pid));
  out.append(secret);
}

}  // namespace pgsteer::protocol::write
