// Entry point: what was asked for on the command line, done.
#include <cstdio>
#include <iostream>
#include <string>

#include "config/load.hpp"
#include "proxy/application.hpp"
#include "routing/route_command.hpp"

namespace {

using namespace pgsteer;

constexpr int usage_error = 2;

void answer_routes(const config::invocation& call) {
  routing::router router;
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
