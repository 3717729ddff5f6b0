#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tamiz::importer {

/// One value of a pickle. What a pickle would have Python call or build stays a record of that wish.
struct PickleNode {
  enum class Kind { none, boolean, integer, real, text, bytes, list, tuple, set, dict, global, persistent, object };
  using Id = std::uint32_t;
  static constexpr Id k_none = 0xffffffff;

  Kind kind = Kind::none;
  std::int64_t integer = 0;  ///< of a boolean, too
  double real = 0.0;
  std::string_view text = {};  ///< text or bytes; of a global its module
  std::string_view name = {};  ///< of a global
  std::vector<Id> items = {};  ///< of a list, tuple or set; of a dict or an object keys and values by turns
  Id callable = k_none, arguments = k_none;  ///< of an object; a persistent id has `arguments`
  Id state = k_none;                         ///< of an object: what it is built from
};

/// A pickle (protocols 0 to 5, as far as Python's pickler writes them for PyTorch) as inert records: nothing is
/// imported, looked up, called or built. Nodes refer to each other by number, so that a pickle which contains itself is
/// no danger; whoever follows references must not do so without bound. Texts are views of the bytes.
class Pickle {
 public:
  /// Throws FormatError for a damaged or truncated pickle, an opcode that PyTorch does not write, or one that asks for
  /// more than a million values.
  explicit Pickle(std::string_view bytes);

  PickleNode::Id root() const { return root_; }
  const PickleNode& operator[](PickleNode::Id id) const { return nodes_[id]; }

 private:
  friend class PickleMachine;
  std::vector<PickleNode> nodes_;
  PickleNode::Id root_ = 0;
};

}  // namespace tamiz::importer
