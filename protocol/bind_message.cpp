#include "protocol/bind_message.hpp"

#include "protocol/frame.hpp"

namespace pgsteer::protocol {

namespace {

// Takes from the front; nothing where there is less.
class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> take(std::size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::optional<std::uint16_t> take_u16() {
    const auto bytes = take(2);
    return bytes ? std::optional(load_u16(bytes->data())) : std::nullopt;
  }
  bool skip_string() {
    std::string_view skipped;
    return take_string(rest_, skipped);
  }
  // NULL is a length of -1.
  std::optional<bound_value> take_value(bool is_binary) {
    const auto length = take(4);
    if (!length) return std::nullopt;
    const auto size = load_u32(length->data());
    if (size == 0xffffffffU) return bound_value{std::nullopt, is_binary};
    const auto bytes = take(size);
    return bytes ? std::optional(bound_value{bytes, is_binary}) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<bound_value>> bound_values(std::string_view frame, std::size_t most) {
  if (frame.size() < header_size) return std::nullopt;
  reader body(frame.substr(header_size));
  if (!body.skip_string() || !body.skip_string()) return std::nullopt;
  const auto formats = body.take_u16();
  const auto codes = formats ? body.take(std::size_t{*formats} * 2) : std::nullopt;
  const auto count = codes ? body.take_u16() : std::nullopt;
  if (!count || *count > most || (*formats > 1 && *formats != *count)) return std::nullopt;
  std::vector<bound_value> values;
  for (std::size_t i = 0; i < *count; ++i) {
    const auto at = *formats == 1 ? 0 : i;
    const bool is_binary = *formats > 0 && load_u16(codes->data() + 2 * at) != 0;
    auto value = body.take_value(is_binary);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::uint32_t declared_type(std::string_view parse_tail, int parameter) {
  std::string_view text;
  if (!take_string(parse_tail, text) || parse_tail.size() < 2 || parameter < 1) return 0;
  const auto count = load_u16(parse_tail.data());
  const auto at = 2 + 4 * (static_cast<std::size_t>(parameter) - 1);
  if (parameter > count || parse_tail.size() < at + 4) return 0;
  return load_u32(parse_tail.data() + at);
}

}  // namespace pgsteer::protocol
