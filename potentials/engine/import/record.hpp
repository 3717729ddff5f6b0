#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tamiz/potentials/engine/import/pickle.hpp"

namespace tamiz::importer {

/// A value of a pickle together with the path that led to it, which every message names. Borrowed from the pickle.
class Record {
 public:
  Record(const Pickle& pickle, PickleNode::Id id, std::string path)
      : pickle_(&pickle), id_(id), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  PickleNode::Kind kind() const { return node().kind; }
  /// Of an object the class or function that would make it, of a global itself: "mace.modules.models.MACE". Empty for
  /// everything else.
  std::string type() const;
  /// The last part of the type.
  std::string type_name() const;

  // Each throws FormatError when the value is of another kind.
  bool boolean() const;
  std::int64_t integer() const;
  double real() const;  ///< of an integer, too
  std::string text() const;
  /// Of a list, tuple or set.
  std::vector<Record> items() const;
  /// Of a dict, or of an object that is filled like one.
  std::vector<std::pair<std::string, Record>> entries() const;
  /// What an object is made from.
  std::vector<Record> arguments() const;
  /// What stands behind a persistent id.
  Record persistent_id() const;

  /// An attribute, parameter, buffer or submodule of a torch module. `find` gives nothing where there is none, or None.
  std::optional<Record> find(const std::string& name) const;
  /// Throws FormatError where `find` gives nothing.
  Record at(const std::string& name) const;
  /// Submodules in their order.
  std::vector<Record> children() const;

  [[noreturn]] void fail(const std::string& what) const;

 private:
  const PickleNode& node() const { return (*pickle_)[id_]; }
  Record other(PickleNode::Id id, const std::string& step) const { return {*pickle_, id, path_ + step}; }
  const PickleNode& of_kind(PickleNode::Kind kind, const char* name) const;
  std::optional<PickleNode::Id> value_of(PickleNode::Id dict, std::string_view key) const;

  const Pickle* pickle_;
  PickleNode::Id id_;
  std::string path_;
};

}  // namespace tamiz::importer
