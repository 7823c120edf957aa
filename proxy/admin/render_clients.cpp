#include "proxy/admin/render_clients.hpp"

#include <boost/json.hpp>

#include "proxy/utf8.hpp"

namespace pgsteer::proxy {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& s) {
  return s.empty() ? json::value{} : json::value(json::string{to_utf8(s)});
}

json::value number_or_null(const std::optional<std::uint64_t>& n) {
  return n ? json::value(*n) : json::value{};
}

json::object client_json(const client_entry& c) {
  json::object o;
  o["id"] = c.id;
  o["user"] = text_or_null(c.user);
  o["database"] = text_or_null(c.database);
  o["application_name"] = json::string{to_utf8(c.application_name)};
  o["address"] = text_or_null(c.address);
  o["state"] = json::string{c.state};
  o["pin"] = text_or_null(c.pin);
  o["wait_ms"] = number_or_null(c.wait_ms);
  o["target"] = text_or_null(c.target);
  o["transaction_ms"] = number_or_null(c.transaction_ms);
  return o;
}

}  // namespace

std::string render_clients(const client_list& list) {
  json::array clients;
  for (const auto& c : list.clients)
    clients.push_back(client_json(c));
  json::object o;
  o["total"] = list.total;
  o["listed"] = list.clients.size();
  o["clients"] = std::move(clients);
  return json::serialize(o);
}

}  // namespace pgsteer::proxy
