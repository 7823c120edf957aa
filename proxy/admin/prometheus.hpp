// Writes the Prometheus text format 0.0.4: families with help and type, samples with escaped labels.
// Used by proxy/admin/render_metrics.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace pgsteer::proxy {

class prometheus_text {
 public:
  using label = std::pair<std::string_view, std::string_view>;
  using labels = std::initializer_list<label>;

  // Opens a family: the samples that follow are its own. `type` is counter, gauge or histogram.
  void family(std::string_view name, std::string_view type, std::string_view help);

  // One sample of the open family; `suffix` is for a histogram's parts.
  void sample(labels l, std::integral auto value, std::string_view suffix = {}) {
    write_sample(l, std::to_string(value), suffix);
  }
  void sample(labels l, double value, std::string_view suffix = {});

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void write_sample(labels l, std::string_view value, std::string_view suffix);

  std::string text_;
  std::string name_;
};

// The shortest decimal that reads back as `value`.
[[nodiscard]] std::string prometheus_number(double value);

}  // namespace pgsteer::proxy
