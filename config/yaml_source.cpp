#include "config/yaml_source.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "config/records.hpp"

namespace pgsteer::config {
namespace {

constexpr std::string_view in_file = "_file";

// What stands behind the colon of yaml-cpp's messages is a piece of the file.
std::string without_detail(const std::string& message) {
  return message.substr(0, message.find(':'));
}

// Hears where a document starts, and nothing else.
class document_start final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { mark_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}

  [[nodiscard]] const YAML::Mark& mark() const { return mark_; }

 private:
  YAML::Mark mark_;
};

class reader {
 public:
  explicit reader(std::string_view name) : name_(name) {}

  gathered read(const std::string& text) {
    try {
      read_document(YAML::Load(text));
      check_end(text);
    } catch (const YAML::Exception& error) {
      wrong(error.mark, fmt::format("is not valid YAML: {}", without_detail(error.msg)),
            "values that begin with *, &, [ or {, or hold \": \", stand in quotes");
    }
    check_given_once(out_, out_.wrong);
    return std::move(out_);
  }

 private:
  std::string place(const YAML::Mark& mark) const {
    return mark.is_null() ? name_ : fmt::format("{}:{}", name_, mark.line + 1);
  }

  void wrong(const YAML::Mark& mark, std::string what, std::string suggestion) {
    out_.wrong.push_back({place(mark), std::move(what), std::move(suggestion)});
  }

  void read_document(const YAML::Node& document) {
    if (document.IsNull()) return;
    if (!document.IsMap())
      return wrong(document.Mark(), "is not a list of settings", "write lines of \"name: value\"");
    for (const auto& entry : document)
      read_entry(entry.first, entry.second);
  }

  // YAML::LoadAll would tell too, but never ends where a stray bracket follows.
  void check_end(const std::string& text) {
    std::istringstream input(text);
    YAML::Parser parser(input);
    document_start handler;
    if (!parser.HandleNextDocument(handler) || !parser || !parser.HandleNextDocument(handler)) return;
    wrong(handler.mark(), "begins a second document", "keep one document in the file");
  }

  // `routing: {functions: {read: ...}}` is another way to write `routing_functions_read: ...`.
  static bool is_group(const std::string& name) {
    const auto begins = [&](const setting& each) { return each.name.starts_with(name + '_'); };
    return name.starts_with("routing") && std::ranges::any_of(schema(), begins);
  }

  void read_entry(const YAML::Node& key, const YAML::Node& value, const std::string& group = {}) {
    if (!key.IsScalar()) return wrong(key.Mark(), "the name of a setting is not a word", "");
    const std::string name = group + key.Scalar();
    const auto [earlier, is_first] = lines_.try_emplace(name, key.Mark().line + 1);
    if (!is_first) {
      return wrong(key.Mark(),
                   fmt::format("sets {} again, first set in line {}", shown(name), earlier->second),
                   "keep one of them");
    }
    const auto [what, is_path] = named(name);
    if (what == nullptr && value.IsMap() && is_group(name)) {
      for (const auto& inner : value)
        read_entry(inner.first, inner.second, name + '_');
      return;
    }
    if (what == nullptr) return unknown(key, name);
    if (is_path) return read_path(*what, key, value);
    if (value.IsSequence()) return read_list(*what, key, value);
    if (value.IsMap()) {
      return wrong(value.Mark(), fmt::format("\"{}\" takes no nested settings", what->name),
                   "write one value");
    }
    const std::string text = value.IsNull() ? std::string() : value.Scalar();
    keep(*what, key, {{text, place(key.Mark())}});
  }

  // Secrets may stand in a file of their own, as with the *_FILE variables.
  static named_setting named(std::string_view name) {
    if (const auto* what = find_setting(name)) return {what, false};
    if (!name.ends_with(in_file)) return {};
    const auto* what = find_setting(name.substr(0, name.size() - in_file.size()));
    return what != nullptr && what->is_secret ? named_setting{what, true} : named_setting{};
  }

  void unknown(const YAML::Node& key, const std::string& name) {
    std::vector<std::string> known;
    for (const auto& each : schema())
      known.emplace_back(each.name);
    const std::string near = did_you_mean(name, known);
    wrong(key.Mark(), fmt::format("unknown setting {}", shown(name)),
          near.empty() ? "see pgsteer --help for all settings" : near);
  }

  void read_path(const setting& what, const YAML::Node& key, const YAML::Node& value) {
    if (!value.IsScalar()) return wrong(key.Mark(), fmt::format("\"{}_file\" is not a path", what.name), "");
    const std::string where = place(key.Mark());
    if (const auto text = read_value(value.Scalar(), where, out_.wrong)) keep(what, key, {{*text, where}});
  }

  void read_list(const setting& what, const YAML::Node& key, const YAML::Node& value) {
    if (!what.is_list()) {
      return wrong(value.Mark(), fmt::format("\"{}\" takes one value, not a list", what.name), "");
    }
    std::vector<item> items;
    for (const auto& element : value) {
      if (element.IsScalar()) {
        items.push_back({element.Scalar(), place(element.Mark())});
      } else if (element.IsMap() && what.has_parts) {
        read_parts(what, element, items);
      } else {
        wrong(element.Mark(), fmt::format("an element of \"{}\" is not a single value", what.name), "");
      }
    }
    keep(what, key, std::move(items));
  }

  void read_parts(const setting& what, const YAML::Node& element, std::vector<item>& items) {
    record parts;
    for (const auto& part : element) {
      if (!part.first.IsScalar() || !(part.second.IsScalar() || part.second.IsNull())) {
        return wrong(part.first.Mark(), fmt::format("a part of \"{}\" is not a single value", what.name), "");
      }
      parts.emplace_back(part.first.Scalar(), part.second.IsNull() ? std::string() : part.second.Scalar());
    }
    items.push_back({to_text(parts), place(element.Mark())});
  }

  void keep(const setting& what, const YAML::Node& key, std::vector<item> items) {
    out_.values.push_back({&what, origin::file, place(key.Mark()), std::move(items)});
  }

  std::string name_;
  gathered out_;
  std::map<std::string, int> lines_;
};

}  // namespace

gathered gather_yaml(const std::string& text, std::string_view name) {
  return reader(name).read(text);
}

}  // namespace pgsteer::config
