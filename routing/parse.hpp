// One text through PostgreSQL's grammar to its class, without any memory of earlier ones.
// Owned by routing::classifier; one per thread, its buffers are used again.
#pragma once

#include <string_view>

#include "routing/classification.hpp"
#include "routing/classifier.hpp"
#include "routing/facts.hpp"
#include "routing/sql_parser.hpp"

namespace pgsteer::routing {

struct judged_text {
  classification is;
  bool depends_on_literals = true;  // false: any text of the same shape has this class
  bool is_parsed = false;
};

class text_judge {
 public:
  // `sql` may hold several statements. Never fails: what cannot be judged is a write.
  [[nodiscard]] judged_text judge(std::string_view sql, const parse_context& context, const facts& known);

 private:
  sql_parser parser_;
};

}  // namespace pgsteer::routing
