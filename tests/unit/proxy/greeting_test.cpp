#include "proxy/client/greeting.hpp"

#include <string>

#include <gtest/gtest.h>

#include "protocol/message_writer.hpp"

using namespace pgsteer;
using proxy::parameter_map;

namespace {

const parameter_map of_server{{"DateStyle", "ISO, MDY"},
                              {"application_name", ""},
                              {"client_encoding", "UTF8"},
                              {"default_transaction_read_only", "on"},
                              {"standard_conforming_strings", "on"}};

std::string one_by_one(const parameter_map& parameters, const parameter_map& own) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    const auto at = own.find(name);
    protocol::write::parameter_status(out, name, at != own.end() ? at->second : value);
  }
  return out;
}

protocol::settings_state of(protocol::settings_map values) {
  return {std::move(values), 0};
}

TEST(greeting, tells_the_servers_parameters_with_the_clients_own_values) {
  const parameter_map none;
  const parameter_map named{{"application_name", "shop"}};
  const parameter_map others{{"DateStyle", "German"}};
  const parameter_map both{{"DateStyle", "German"}, {"application_name", "shop"}};
  auto unnamed = of_server;
  unnamed.erase("application_name");
  for (const auto& parameters : {of_server, unnamed, none}) {
    for (const auto& own : {none, named, others, both}) {
      std::string out;
      proxy::greeting(parameters).write(out, parameters, own);
      EXPECT_EQ(out, one_by_one(parameters, own));
    }
  }
}

TEST(greeting, knows_what_sessions_begin_with) {
  EXPECT_TRUE(proxy::greeting(of_server).begun().read_only);
  EXPECT_FALSE(proxy::greeting(parameter_map{}).begun().read_only);
  const auto begun = proxy::begin_with(of({{"default_transaction_isolation", "serializable"},
                                           {"default_transaction_read_only", "off"},
                                           {"client_encoding", "SJIS"}}),
                                       of_server);
  EXPECT_FALSE(begun.read_only);
  EXPECT_EQ(begun.level, routing::isolation::serializable);
  EXPECT_TRUE(begun.standard_strings);
  EXPECT_FALSE(begun.ascii_safe);
}

TEST(greeting, is_as_others_where_nothing_but_a_name_is_the_sessions_own) {
  EXPECT_TRUE(proxy::is_as_others(of({})));
  EXPECT_TRUE(proxy::is_as_others(of({{"application_name", "shop"}})));
  EXPECT_FALSE(proxy::is_as_others(of({{"client_encoding", "SJIS"}})));
  EXPECT_FALSE(proxy::is_as_others(of({{"application_name", "shop"}, {"client_encoding", "SJIS"}})));
}

}  // namespace
