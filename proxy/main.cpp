// Entry point: what was asked for on the command line, done.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "config/load.hpp"
#include "proxy/application.hpp"
#include "proxy/control/catalog_loader.hpp"
#include "proxy/control/wakeup.hpp"
#include "proxy/routing_rules.hpp"
#include "routing/route_command.hpp"

namespace {

using namespace pgsteer;

constexpr int usage_error = 2;

constexpr auto catalog_timeout = std::chrono::seconds(30);

// Says on standard error why there are no facts; routing then does with what needs none.
routing::catalog_source catalog_of(const config::server_url& url) {
  struct reader {
    proxy::catalog_loader loader;
    proxy::wakeup never;
  };
  const std::shared_ptr<reader> from(new reader{proxy::catalog_loader(url, true), {}});
  const auto load = [from]() -> std::shared_ptr<const routing::catalog> {
    for (int attempt = 0; attempt < 2; ++attempt) {  // the connection may be gone since the last time
      auto loaded = from->loader.load(std::chrono::steady_clock::now() + catalog_timeout, from->never.fd());
      if (loaded) return *std::move(loaded);
      if (attempt == 1) std::cerr << "pgsteer: catalog not read: " << loaded.error().cause << '\n';
    }
    return nullptr;
  };
  return {load, url.user, url.database};
}

void answer_routes(const config::invocation& call) {
  constexpr std::size_t max_sessions = 10000;
  routing::router router(
      max_sessions,
      call.route_catalog_server ? catalog_of(*call.route_catalog_server) : routing::catalog_source{},
      proxy::make_routing_rules(*call.values));
  if (call.route_sql && !call.route_json) {
    std::cout << router.text_answer(*call.route_sql) << '\n';
    return;
  }
  if (!call.route_json) {
    const std::string all(std::istreambuf_iterator<char>(std::cin), {});
    std::cout << router.text_answer(all) << '\n';
    return;
  }
  if (call.route_sql) {
    std::cout << router.json_answer(*call.route_sql) << '\n';
    return;
  }
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) std::cout << router.json_answer(line) << '\n' << std::flush;
  }
}

int serve(const config::sources& sources, const config::invocation& call) {
  try {
    proxy::application app(sources, *call.values, proxy::notify_socket::from_environment());
    return app.run();
  } catch (const std::exception& e) {
    std::cerr << "pgsteer: " << e.what() << '\n';
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  proxy::block_signals();
  const auto sources = config::sources_of_process(argc, argv);
  const auto call = config::load(sources);
  if (call.has_error()) {
    std::cerr << config::to_text(call.error());
    return usage_error;
  }
  switch (call->what) {
    case config::command::run:
      return serve(sources, *call);
    case config::command::route: {
      proxy::big_stack_thread(routing::parse_stack_bytes, [&] { answer_routes(*call); }).join();
      return 0;
    }
    default:
      std::cout << call->output;
      return 0;
  }
}
