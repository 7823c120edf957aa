#include "proxy/worker.hpp"

namespace pgsteer::proxy {

std::unique_ptr<extended_unit> worker::take_unit() {
  if (spare_units_.empty()) return std::make_unique<extended_unit>();
  auto unit = std::move(spare_units_.back());
  spare_units_.pop_back();
  return unit;
}

void worker::give_unit(std::unique_ptr<extended_unit> unit) {
  if (spare_units_.size() < most_spare) spare_units_.push_back(std::move(unit));
}

std::unique_ptr<std::string> worker::keep_input(std::string_view bytes) {
  if (spare_inputs_.empty()) return std::make_unique<std::string>(bytes);
  auto in = std::move(spare_inputs_.back());
  spare_inputs_.pop_back();
  in->assign(bytes);
  return in;
}

void worker::free_input(std::unique_ptr<std::string> in) {
  constexpr std::size_t most_kept = 4096;
  if (in->capacity() <= most_kept && spare_inputs_.size() < most_spare)
    spare_inputs_.push_back(std::move(in));
}

}  // namespace pgsteer::proxy
