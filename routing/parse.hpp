// One text through PostgreSQL's grammar to its class, without any memory of earlier ones.
// Owned by routing::classifier; one per thread, its buffers are used again.
#pragma once

#include <memory>
#include <string_view>

#include "routing/classification.hpp"
#include "routing/classifier.hpp"
#include "routing/facts.hpp"

namespace pgsteer::routing {

struct judged_text {
  classification is;
  bool depends_on_literals = true;  // false: any text of the same shape has this class
  bool is_parsed = false;
};

class text_judge {
 public:
  text_judge();
  ~text_judge();
  text_judge(const text_judge&) = delete;
  text_judge& operator=(const text_judge&) = delete;

  // `sql` may hold several statements. Never fails: what cannot be judged is a write.
  [[nodiscard]] judged_text judge(std::string_view sql, const parse_context& context, const facts& known);

 private:
  struct buffers;
  std::unique_ptr<buffers> buffers_;
};

}  // namespace pgsteer::routing
