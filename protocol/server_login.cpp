#include "protocol/server_login.hpp"

#include <utility>

#include <fmt/format.h>

#include "protocol/error_report.hpp"
#include "protocol/frame.hpp"
#include "protocol/md5_password.hpp"
#include "protocol/message_writer.hpp"
#include "protocol/scram_server.hpp"

namespace pgsteer::protocol {

namespace {

using output = server_login::output;
using step = server_login::step;

enum : std::uint32_t {
  code_ok = 0,
  code_cleartext = 3,
  code_md5 = 5,
  code_sasl = 10,
  code_sasl_continue = 11,
  code_sasl_final = 12
};

output go_on() {
  return {step::read, {}, {}, {}};
}

output failed(std::string_view sqlstate, std::string message) {
  return {step::failed, {}, std::string(sqlstate), std::move(message)};
}

output out_of_step(char type) {
  return failed(sqlstate::protocol_violation,
                fmt::format("the server sent message type {} during the login",
                            static_cast<unsigned>(static_cast<unsigned char>(type))));
}

output from_server(std::string_view body) {
  const auto error = parse_error_fields(body);
  return failed(error.sqlstate, std::string(error.message));
}

output take_parameter(std::string_view body, server_login::parameter_map& into) {
  std::string_view name;
  std::string_view value;
  if (!take_string(body, name) || !take_string(body, value)) return out_of_step('S');
  into.insert_or_assign(std::string(name), value);
  return go_on();
}

bool offers(std::string_view list, std::string_view mechanism) {
  std::string_view each;
  while (take_string(list, each) && !each.empty()) {
    if (each == mechanism) return true;
  }
  return false;
}

}  // namespace

output server_login::on_message(char type, std::string_view body) {
  switch (type) {
    case 'E':
      return from_server(body);
    case 'N':
      return go_on();
    case 'R':
      return is_authenticated_ ? out_of_step(type) : on_authentication(body);
    default:
      break;
  }
  if (!is_authenticated_) return out_of_step(type);
  switch (type) {
    case 'S':
      return take_parameter(body, parameters_);
    case 'K':
      if (body.size() < 8) return out_of_step(type);
      pid_ = static_cast<std::int32_t>(load_u32(body.data()));
      cancel_key_ = body.substr(4);
      return go_on();
    case 'Z':
      return {step::done, {}, {}, {}};
    default:
      return out_of_step(type);
  }
}

output server_login::on_authentication(std::string_view body) {
  if (body.size() < 4) return out_of_step('R');
  const auto code = load_u32(body.data());
  body.remove_prefix(4);
  switch (code) {
    case code_ok:
      return on_ok();
    case code_cleartext:
      return lacks_password("password");
    case code_md5:
      return on_md5(body);
    case code_sasl:
      return on_sasl(body);
    case code_sasl_continue:
      return on_sasl_continue(body);
    case code_sasl_final:
      return on_sasl_final(body);
    default:
      return failed(sqlstate::feature_not_supported,
                    fmt::format("the server asks user \"{}\" for authentication method {}, which works with "
                                "nothing that pgsteer has",
                                secret_.user, code));
  }
}

output server_login::lacks_password(std::string_view method) const {
  return failed(sqlstate::invalid_authorization_specification,
                fmt::format("the server asks user \"{}\" for {} authentication, and pgsteer has nothing to "
                            "answer with",
                            secret_.user, method));
}

output server_login::on_ok() {
  if (scram_ && !has_proven_) return explain(scram_failure::not_authenticated);
  if (policy_.binding == channel_binding::require && !is_bound_) {
    return failed(sqlstate::invalid_authorization_specification,
                  "channel binding is required, but the server authenticated the user without it");
  }
  is_authenticated_ = true;
  return go_on();
}

output server_login::on_md5(std::string_view salt) {
  if (salt.size() != 4 || scram_) return out_of_step('R');
  if (secret_.md5_secret.empty()) return lacks_password("md5");
  output out{step::send, {}, {}, {}};
  write::password_message(out.bytes, md5_response(secret_.md5_secret, salt));
  return out;
}

output server_login::on_sasl(std::string_view mechanisms) {
  if (scram_) return out_of_step('R');
  if (!secret_.keys) return lacks_password("scram-sha-256");
  const bool may_bind =
      policy_.is_tls && !policy_.end_point_hash.empty() && policy_.binding != channel_binding::disable;
  is_bound_ = may_bind && offers(mechanisms, scram_plus_mechanism);
  if (!is_bound_ && !offers(mechanisms, scram_mechanism)) return lacks_password("SASL");
  if (!is_bound_ && policy_.binding == channel_binding::require) {
    return failed(sqlstate::invalid_authorization_specification,
                  "channel binding is required, but the server did not offer a method that supports it");
  }
  const auto binding = is_bound_  ? scram_binding::end_point
                       : may_bind ? scram_binding::declined
                                  : scram_binding::impossible;
  scram_.emplace(*secret_.keys, binding, policy_.end_point_hash, policy_.nonce);
  output out{step::send, {}, {}, {}};
  write::sasl_initial_response(out.bytes, is_bound_ ? scram_plus_mechanism : scram_mechanism,
                               scram_->first());
  return out;
}

output server_login::on_sasl_continue(std::string_view data) {
  if (!scram_) return out_of_step('R');
  const auto answer = scram_->on_first(data);
  if (!answer) return explain(answer.error());
  output out{step::send, {}, {}, {}};
  write::sasl_response(out.bytes, *answer);
  return out;
}

output server_login::on_sasl_final(std::string_view data) {
  if (!scram_) return out_of_step('R');
  if (const auto why = scram_->on_final(data)) return explain(*why);
  has_proven_ = true;
  return go_on();
}

output server_login::explain(scram_failure why) const {
  switch (why) {
    case scram_failure::other_verifier:
      return failed(sqlstate::invalid_password,
                    fmt::format("password authentication failed for user \"{}\": the server's verifier has "
                                "another salt or iteration count than the one pgsteer knows",
                                secret_.user));
    case scram_failure::not_authenticated:
      return failed(
          sqlstate::invalid_authorization_specification,
          fmt::format("the server has not proven that it knows the password of user \"{}\"", secret_.user));
    case scram_failure::refused:
      return failed(sqlstate::invalid_password,
                    fmt::format("password authentication failed for user \"{}\"", secret_.user));
    case scram_failure::malformed:
      break;
  }
  return failed(sqlstate::protocol_violation, "the server sent a malformed SCRAM message");
}

}  // namespace pgsteer::protocol
