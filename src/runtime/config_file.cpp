#include "runtime/config_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <variant>

#include <toml++/toml.h>

#include "spillway/error.hpp"

namespace spillway::runtime {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  // Nothing read is a failure to operator<<, but not an unreadable file.
  if (file && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (!file.is_open() || file.bad()) {
    const std::string reason = std::generic_category().message(errno);
    throw StartError{"cannot read the configuration " + path + ": " + reason +
                     "; name a file that this user may read"};
  }
  return text.str();
}

core::SettingValue value_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* fraction = node.as_floating_point()) return fraction->get();
  const auto* array = node.as_array();
  if (array == nullptr) return std::monostate{};
  std::vector<std::int64_t> numbers;
  for (const toml::node& element : *array) {
    const auto* number = element.as_integer();
    if (number == nullptr) return std::monostate{};
    numbers.push_back(number->get());
  }
  return numbers;
}

class Walk {
 public:
  explicit Walk(const std::string& path) : path_{path} {}

  void table(const std::string& prefix, const toml::table& table) {
    for (const auto& [name, node] : table) {
      std::string key =
          prefix.empty() ? std::string{name.str()} : prefix + "." + std::string{name.str()};
      if (const auto* inner = node.as_table()) {
        this->table(key, *inner);
      } else {
        const toml::source_index line = node.source().begin.line;
        std::string origin = path_ + ":" + std::to_string(line);
        found_.push_back({line, {std::move(key), std::move(origin), value_of(node)}});
      }
    }
  }

  // toml++ keeps its tables sorted by name; people read their file from the top.
  std::vector<Assignment> in_order_of_lines() {
    std::ranges::stable_sort(found_, {}, &Found::line);
    std::vector<Assignment> assignments;
    assignments.reserve(found_.size());
    for (Found& found : found_)
      assignments.push_back(std::move(found.assignment));
    return assignments;
  }

 private:
  struct Found {
    toml::source_index line;
    Assignment assignment;
  };

  const std::string& path_;
  std::vector<Found> found_;
};

}  // namespace

std::vector<Assignment> read_config_file(const std::string& path) {
  const std::string text = read_text(path);
  try {
    const toml::table root = toml::parse(text, path);
    Walk walk{path};
    walk.table("", root);
    return walk.in_order_of_lines();
  } catch (const toml::parse_error& error) {
    throw ConfigError{{path + ":" + std::to_string(error.source().begin.line) +
                       ": this is not TOML: " + std::string{error.description()}}};
  }
}

}  // namespace spillway::runtime
