#include "routing/classification.hpp"

namespace pgsteer::routing {
namespace {

constexpr std::size_t most_text = std::size_t{32} << 10;

}  // namespace

void called_bodies::add(std::string_view body) {
  if (text.find(body) != std::string::npos) return;
  if (text.size() + body.size() > most_text) {
    text = "pg_temp";
    return;
  }
  if (!text.empty()) text += '\n';
  text += body;
}

}  // namespace pgsteer::routing
