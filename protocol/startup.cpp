#include "protocol/startup.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "protocol/message_writer.hpp"
#include "protocol/startup_options.hpp"

namespace pgsteer::protocol {

namespace {

constexpr std::uint32_t ssl_request_code = 80877103;
constexpr std::uint32_t gssenc_request_code = 80877104;
constexpr std::uint32_t cancel_request_code = 80877102;
constexpr char tls_handshake = 0x16;

std::uint32_t read_int32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4))
    value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

startup_result invalid(error_report error) {
  startup_result out;
  out.kind = startup_kind::invalid;
  out.error = std::move(error);
  write::error_response(out.reply, *out.error);
  return out;
}

// PostgreSQL logs these and closes without an answer: the peer may not speak the protocol at all.
startup_result invalid_silently(std::string message) {
  auto out = invalid(fatal_error(sqlstate::protocol_violation, std::move(message)));
  out.is_silent = true;
  out.reply.clear();
  return out;
}

bool is_http(std::string_view bytes) {
  constexpr std::array<std::string_view, 9> methods = {"GET ", "POST", "HEAD", "PUT ", "OPTI",
                                                       "DELE", "CONN", "PATC", "TRAC"};
  if (bytes.starts_with('\0')) return false;  // the length of a packet
  return std::any_of(methods.begin(), methods.end(), [bytes](auto m) { return bytes.starts_with(m); });
}

startup_result read_cancel_request(std::string_view body) {
  constexpr std::size_t head = 8;  // code and pid
  if (body.size() < head) return invalid_silently("invalid length of cancel request packet");
  const auto secret = body.substr(head);
  if (secret.size() < 4 || secret.size() > max_cancel_key) {
    return invalid_silently("invalid length of cancel key in cancel request packet");
  }
  startup_result out;
  out.kind = startup_kind::cancel_request;
  out.cancel.pid = static_cast<std::int32_t>(read_int32(body.substr(4)));
  out.cancel.secret = secret;
  return out;
}

// Nothing of what came in the clear may be taken for something that came encrypted.
startup_result read_encryption_request(startup_kind kind, bool is_more_buffered) {
  if (is_more_buffered) {
    return invalid(fatal_error(sqlstate::protocol_violation,
                               kind == startup_kind::ssl_request
                                   ? "received unencrypted data after SSL request"
                                   : "received unencrypted data after GSSAPI encryption request",
                               "This could be either a client-software bug or evidence of an attempted "
                               "man-in-the-middle attack."));
  }
  startup_result out;
  out.kind = kind;
  return out;
}

startup_result unsupported_version(std::uint32_t version) {
  const auto major = version >> 16U;
  auto out = invalid(
      fatal_error(sqlstate::feature_not_supported,
                  fmt::format("unsupported frontend protocol {}.{}: server supports {}.0 to {}.{}", major,
                              version & 0xffffU, protocol_major, protocol_major, newest_protocol_minor)));
  // Protocol 2 and older had errors without length and fields: their clients would wait for ever.
  if (major < protocol_major)
    out.reply = fmt::format("E{}:  {}\n{}", out.error->severity, out.error->message, '\0');
  return out;
}

bool is_equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

// PostgreSQL's parse_bool: any unambiguous beginning of the words, or 0 and 1.
std::optional<bool> parse_bool(std::string_view text) {
  struct word {
    std::string_view text;
    std::size_t shortest;
    bool value;
  };
  constexpr std::array<word, 8> words = {{{"true", 1, true},
                                          {"false", 1, false},
                                          {"yes", 1, true},
                                          {"no", 1, false},
                                          {"on", 2, true},
                                          {"off", 2, false},
                                          {"1", 1, true},
                                          {"0", 1, false}}};
  for (const auto& w : words) {
    if (text.size() < w.shortest || text.size() > w.text.size()) continue;
    if (is_equal_ignoring_case(text, w.text.substr(0, text.size()))) return w.value;
  }
  return std::nullopt;
}

std::optional<error_report> read_replication(std::string_view value, startup_packet& packet) {
  if (value == "database") {
    packet.replication = replication_mode::database;
    return std::nullopt;
  }
  const auto is_on = parse_bool(value);
  if (!is_on) {
    return fatal_error(sqlstate::invalid_parameter_value,
                       fmt::format("invalid value for parameter \"{}\": \"{}\"", "replication", value), {},
                       "Valid values are: \"false\", 0, \"true\", 1, \"database\".");
  }
  packet.replication = *is_on ? replication_mode::physical : replication_mode::none;
  return std::nullopt;
}

// Name, NUL, value, NUL, ..., NUL. The last of two equal names wins, as each overwrites in PostgreSQL.
class parameter_reader {
 public:
  explicit parameter_reader(startup_packet& packet) : packet_(packet) {}

  std::optional<error_report> read(std::string_view bytes) {
    while (true) {
      const auto name = take_string(bytes);
      if (!name) return layout_error();
      if (name->empty()) break;
      const auto value = take_string(bytes);
      if (!value) return layout_error();
      if (auto error = store(*name, *value)) return error;
    }
    if (!bytes.empty()) return layout_error();
    return finish();
  }

 private:
  static std::optional<std::string_view> take_string(std::string_view& bytes) {
    const auto end = bytes.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const auto text = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    return text;
  }

  static error_report layout_error() {
    return fatal_error(sqlstate::protocol_violation,
                       "invalid startup packet layout: expected terminator as last byte");
  }

  std::optional<error_report> store(std::string_view name, std::string_view value) {
    if (name == "user") {
      packet_.user = value;
    } else if (name == "database") {
      packet_.database = value;
    } else if (name == "options") {
      options_ = value;
    } else if (name == "replication") {
      return read_replication(value, packet_);
    } else if (name.starts_with("_pq_.")) {
      packet_.protocol_options.emplace_back(name);
    } else {
      settings_.emplace_back(name, value);
    }
    return std::nullopt;
  }

  std::optional<error_report> finish() {
    if (packet_.user.empty()) {
      return fatal_error(sqlstate::invalid_authorization_specification,
                         "no PostgreSQL user name specified in startup packet");
    }
    if (packet_.database.empty()) packet_.database = packet_.user;
    if (auto error = parse_options(options_, packet_.settings)) return error;
    packet_.settings.insert(packet_.settings.end(), std::make_move_iterator(settings_.begin()),
                            std::make_move_iterator(settings_.end()));
    return std::nullopt;
  }

  startup_packet& packet_;
  std::string_view options_;
  std::vector<setting> settings_;
};

startup_result read_startup(std::string_view body) {
  startup_result out;
  out.kind = startup_kind::startup;
  const auto version = read_int32(body);
  out.packet.major = static_cast<std::uint16_t>(version >> 16U);
  out.packet.minor = static_cast<std::uint16_t>(version & 0xffffU);
  if (auto error = parameter_reader(out.packet).read(body.substr(4))) return invalid(std::move(*error));
  return out;
}

startup_result read_packet(std::string_view body, startup_negotiation done, bool is_more_buffered) {
  const auto code = read_int32(body);
  if (code == cancel_request_code) return read_cancel_request(body);
  if (code == ssl_request_code && !done.is_ssl_done) {
    return read_encryption_request(startup_kind::ssl_request, is_more_buffered);
  }
  if (code == gssenc_request_code && !done.is_gss_done) {
    return read_encryption_request(startup_kind::gssenc_request, is_more_buffered);
  }
  if (code >> 16U != protocol_major) return unsupported_version(code);
  return read_startup(body);
}

}  // namespace

startup_result parse_startup(std::string_view bytes, startup_negotiation done) {
  startup_result out;
  if (!bytes.empty() && bytes.front() == tls_handshake && !done.is_ssl_done) {
    out.kind = startup_kind::direct_tls;
    return out;
  }
  if (bytes.size() < 4) return out;
  if (is_http(bytes)) {
    out.kind = startup_kind::http;
    return out;
  }
  const std::size_t length = read_int32(bytes);
  if (length < 8 || length > max_startup_packet + 4)
    return invalid_silently("invalid length of startup packet");
  if (bytes.size() < length) return out;

  auto read = read_packet(bytes.substr(4, length - 4), done, bytes.size() > length);
  read.consumed = length;
  return read;
}

}  // namespace pgsteer::protocol
