#include "proxy/control/srv.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

namespace pgsteer::proxy {
namespace {

constexpr std::size_t most_targets = 64;
constexpr int largest_answer = 65536;
constexpr int fixed_bytes = 6;  // priority, weight, port

std::optional<srv_target> read_record(const ns_msg& message, const ns_rr& record) {
  if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) <= fixed_bytes) return std::nullopt;
  const auto* const data = ns_rr_rdata(record);
  std::array<char, NS_MAXDNAME> host{};
  if (::ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data + fixed_bytes, host.data(),
                           host.size()) < 0)
    return std::nullopt;
  const auto port = ns_get16(data + 4);
  const std::string name{host.data()};
  if (name.empty() || name == "." || port == 0) return std::nullopt;  // "." says: no such service
  return srv_target{name, std::to_string(port), static_cast<int>(ns_get16(data + 2))};
}

}  // namespace

std::vector<srv_target> read_srv(std::span<const unsigned char> answer) {
  ns_msg message{};
  std::vector<srv_target> found;
  if (::ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) return found;
  for (int i = 0; i < ns_msg_count(message, ns_s_an) && found.size() < most_targets; ++i) {
    ns_rr record{};
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0) break;
    if (auto target = read_record(message, record)) found.push_back(*std::move(target));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return std::tie(a.host, a.port) < std::tie(b.host, b.port); });
  return found;
}

std::vector<srv_target> look_up_srv(const std::string& name) {
  struct __res_state state {};
  if (::res_ninit(&state) != 0) return {};
  std::vector<unsigned char> answer(largest_answer);
  const int size = ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(), largest_answer);
  ::res_nclose(&state);
  if (size <= 0) return {};
  return read_srv(std::span(answer).first(static_cast<std::size_t>(std::min(size, largest_answer))));
}

}  // namespace pgsteer::proxy
