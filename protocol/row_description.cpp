#include "protocol/row_description.hpp"

#include "protocol/frame.hpp"

namespace pgsteer::protocol {

namespace {

constexpr std::size_t table_and_number = 6;  // which column of which table: may change without the type
constexpr std::size_t type_and_size = 10;    // type, its size and its modifier
constexpr std::size_t format = 2;

std::uint64_t add_to(std::uint64_t digest, std::string_view bytes) {
  constexpr std::uint64_t prime = 0x100000001b3;  // FNV-1a
  for (const char c : bytes)
    digest = (digest ^ static_cast<unsigned char>(c)) * prime;
  return digest;
}

}  // namespace

std::uint64_t result_digest(std::string_view body) {
  std::uint64_t digest = 0xcbf29ce484222325;
  if (body.size() >= 2) body.remove_prefix(2);  // as many as there are
  std::string_view name;
  while (take_string(body, name) && body.size() >= table_and_number + type_and_size + format) {
    digest = add_to(digest, {name.data(), name.size() + 1});
    digest = add_to(digest, body.substr(table_and_number, type_and_size));
    body.remove_prefix(table_and_number + type_and_size + format);
  }
  return digest | 1;
}

}  // namespace pgsteer::protocol
