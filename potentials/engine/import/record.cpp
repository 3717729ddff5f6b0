#include "tamiz/potentials/engine/import/record.hpp"

#include "tamiz/core/base/error.hpp"

namespace tamiz::importer {

using Id = PickleNode::Id;
using Kind = PickleNode::Kind;

void Record::fail(const std::string& what) const {
  throw FormatError((path_.empty() ? "the pickle" : path_) + " " + what);
}

const PickleNode& Record::of_kind(Kind kind, const char* name) const {
  if (node().kind != kind) fail(std::string("is not ") + name);
  return node();
}

std::string Record::type() const {
  const PickleNode* node = &this->node();
  if (node->kind == Kind::object) node = &(*pickle_)[node->callable];
  if (node->kind != Kind::global) return "";
  return std::string(node->text) + "." + std::string(node->name);
}

std::string Record::type_name() const {
  const std::string type = this->type();
  return type.substr(type.rfind('.') + 1);
}

bool Record::boolean() const { return of_kind(Kind::boolean, "true or false").integer != 0; }
std::int64_t Record::integer() const { return of_kind(Kind::integer, "an integer").integer; }
double Record::real() const {
  if (kind() == Kind::integer) return static_cast<double>(node().integer);
  return of_kind(Kind::real, "a number").real;
}
std::string Record::text() const { return std::string(of_kind(Kind::text, "a text").text); }

std::vector<Record> Record::items() const {
  if (kind() != Kind::list && kind() != Kind::tuple && kind() != Kind::set) fail("is not a list");
  std::vector<Record> records;
  for (const Id id : node().items) records.push_back(other(id, "[" + std::to_string(records.size()) + "]"));
  return records;
}

std::vector<std::pair<std::string, Record>> Record::entries() const {
  if ((kind() != Kind::dict && kind() != Kind::object) || node().items.size() % 2 != 0) fail("is not a dictionary");
  std::vector<std::pair<std::string, Record>> pairs;
  for (std::size_t k = 0; k < node().items.size(); k += 2) {
    const std::string key = other(node().items[k], ", a key,").text();
    pairs.emplace_back(key, other(node().items[k + 1], "." + key));
  }
  return pairs;
}

std::vector<Record> Record::arguments() const {
  return other(of_kind(Kind::object, "an object").arguments, " (arguments)").items();
}

Record Record::persistent_id() const { return other(of_kind(Kind::persistent, "in a file of its own").arguments, ""); }

std::optional<Id> Record::value_of(Id dict, std::string_view key) const {
  const PickleNode& node = (*pickle_)[dict];
  if (node.kind != Kind::dict && node.kind != Kind::object) return std::nullopt;
  for (std::size_t k = 0; k + 1 < node.items.size(); k += 2) {
    const PickleNode& name = (*pickle_)[node.items[k]];
    if (name.kind == Kind::text && name.text == key) return node.items[k + 1];
  }
  return std::nullopt;
}

std::optional<Record> Record::find(const std::string& name) const {
  const Id state = of_kind(Kind::object, "a module").state;
  if (state == PickleNode::k_none) return std::nullopt;
  std::optional<Id> found = value_of(state, name);
  for (const char* group : {"_parameters", "_buffers", "_modules"}) {
    if (found) break;
    if (const auto members = value_of(state, group)) found = value_of(*members, name);
  }
  if (!found || (*pickle_)[*found].kind == Kind::none) return std::nullopt;
  return other(*found, path_.empty() ? name : "." + name);
}

Record Record::at(const std::string& name) const {
  if (auto found = find(name)) return *found;
  fail("has no '" + name + "'");
}

std::vector<Record> Record::children() const {
  std::vector<Record> records;
  for (const auto& [name, record] : at("_modules").entries())
    records.emplace_back(*pickle_, record.id_, path_ + "." + name);
  return records;
}

}  // namespace tamiz::importer
