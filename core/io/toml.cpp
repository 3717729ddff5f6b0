#include "tamiz/core/io/toml.hpp"

#include <toml++/toml.h>

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {

struct TomlTable::Impl {
  std::shared_ptr<const toml::table> root;  // keeps `table` alive
  const toml::table* table;
  std::string file;
  std::string name;  // "propose", empty for the root
  std::uint32_t line;
};

namespace {

const toml::table k_empty;

}  // namespace

TomlTable::TomlTable(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
TomlTable::TomlTable(const TomlTable&) = default;
TomlTable::TomlTable(TomlTable&&) noexcept = default;
TomlTable::~TomlTable() = default;

TomlTable TomlTable::read(const std::filesystem::path& path) { return parse(read_file(path), path.string()); }

TomlTable TomlTable::parse(std::string_view text, const std::string& name) {
  try {
    auto root = std::make_shared<const toml::table>(toml::parse(text, name));
    return TomlTable(std::make_shared<const Impl>(Impl{root, root.get(), name, "", 1}));
  } catch (const toml::parse_error& error) {
    throw FormatError(name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
}

bool TomlTable::has(const std::string& key) const { return impl_->table->contains(key); }

void TomlTable::fail(const std::string& key, const std::string& message) const {
  const toml::node* node = impl_->table->get(key);
  const auto line = node != nullptr ? node->source().begin.line : impl_->line;
  const std::string full = impl_->name.empty() ? key : impl_->name + "." + key;
  throw FormatError(impl_->file + ":" + std::to_string(line) + ": " + full + ": " + message);
}

void TomlTable::require(const std::string& key) const {
  if (!has(key)) fail(key, "is missing");
}

void TomlTable::allow_only(const std::vector<std::string>& known) const {
  for (const auto& [key, node] : *impl_->table) {
    const std::string name(key.str());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = nearest_name(name, known);
    fail(name, "unknown key" + (nearest.empty() ? std::string() : "; did you mean " + nearest + "?"));
  }
}

TomlTable TomlTable::table(const std::string& key) const {
  const std::string name = impl_->name.empty() ? key : impl_->name + "." + key;
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return TomlTable(std::make_shared<const Impl>(Impl{impl_->root, &k_empty, impl_->file, name, impl_->line}));
  if (!node->is_table()) fail(key, "expected a table");
  return TomlTable(std::make_shared<const Impl>(
      Impl{impl_->root, node->as_table(), impl_->file, name, node->source().begin.line}));
}

std::vector<TomlTable> TomlTable::tables(const std::string& key) const {
  std::vector<TomlTable> result;
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return result;
  if (!node->is_array_of_tables()) fail(key, "expected an array of tables");
  for (const toml::node& entry : *node->as_array())
    result.push_back(TomlTable(std::make_shared<const Impl>(
        Impl{impl_->root, entry.as_table(), impl_->file, key, entry.source().begin.line})));
  return result;
}

std::vector<std::string> TomlTable::keys() const {
  std::vector<std::string> result;
  for (const auto& [key, node] : *impl_->table) result.emplace_back(key.str());
  return result;
}

std::string TomlTable::text(const std::string& key, const std::string& fallback) const {
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return fallback;
  if (!node->is_string()) fail(key, "expected a text in quotes");
  return node->as_string()->get();
}

double TomlTable::number(const std::string& key, double fallback) const {
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return fallback;
  if (!node->is_number()) fail(key, "expected a number");
  return node->value<double>().value();
}

std::int64_t TomlTable::integer(const std::string& key, std::int64_t fallback) const {
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return fallback;
  if (!node->is_integer()) fail(key, "expected a whole number");
  return node->as_integer()->get();
}

bool TomlTable::boolean(const std::string& key, bool fallback) const {
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return fallback;
  if (!node->is_boolean()) fail(key, "expected true or false");
  return node->as_boolean()->get();
}

std::vector<std::string> TomlTable::texts(const std::string& key, const std::vector<std::string>& fallback) const {
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return fallback;
  if (!node->is_array()) fail(key, "expected a list of texts");
  std::vector<std::string> result;
  for (const toml::node& entry : *node->as_array()) {
    if (!entry.is_string()) fail(key, "expected a list of texts");
    result.push_back(entry.as_string()->get());
  }
  return result;
}

std::vector<std::string> TomlTable::text_or_texts(const std::string& key) const {
  const toml::node* node = impl_->table->get(key);
  return node != nullptr && node->is_string() ? std::vector{node->as_string()->get()} : texts(key, {});
}

std::vector<double> TomlTable::numbers(const std::string& key, const std::vector<double>& fallback) const {
  const toml::node* node = impl_->table->get(key);
  if (node == nullptr) return fallback;
  if (!node->is_array()) fail(key, "expected a list of numbers");
  std::vector<double> result;
  for (const toml::node& entry : *node->as_array()) {
    if (!entry.is_number()) fail(key, "expected a list of numbers");
    result.push_back(entry.value<double>().value());
  }
  return result;
}

}  // namespace tamiz
