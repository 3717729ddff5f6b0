#include "tamiz/potentials/engine/import/pickle.hpp"

#include <bit>
#include <unordered_map>
#include <utility>

#include "tamiz/core/base/error.hpp"

namespace tamiz::importer {

using Id = PickleNode::Id;
using Kind = PickleNode::Kind;

namespace {

constexpr std::size_t k_most_nodes = 1u << 20, k_most_items = 1u << 23;
constexpr int k_newest_protocol = 5;

}  // namespace

/// The stack machine of pickle (pickletools.py describes its opcodes), run until it stops or fails.
class PickleMachine {
 public:
  PickleMachine(std::string_view bytes, std::vector<PickleNode>& nodes) : bytes_(bytes), nodes_(nodes) {}

  Id run() {
    for (;;) {
      const unsigned char opcode = u8();
      if (opcode == '.') return pop();
      if (!(literal(opcode) || container(opcode) || memory(opcode) || construction(opcode)))
        fail("opcode " + std::to_string(opcode) + " is not one that PyTorch writes");
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError("pickle, byte " + std::to_string(position_) + ": " + what);
  }

  // --- bytes -----------------------------------------------------------------------------------------------------
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - position_) fail("it ends within a value: the file is truncated or damaged");
    const std::string_view piece = bytes_.substr(position_, size);
    position_ += size;
    return piece;
  }
  std::uint64_t little(std::size_t size) {
    const std::string_view piece = take(size);
    std::uint64_t value = 0;
    for (std::size_t k = size; k-- > 0;) value = value << 8 | static_cast<unsigned char>(piece[k]);
    return value;
  }
  unsigned char u8() { return static_cast<unsigned char>(little(1)); }
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) fail("a line has no end");
    const std::string_view text = take(end - position_);
    take(1);
    return text;
  }
  std::int64_t twos_complement(std::uint64_t size) {
    if (size > 8) fail("an integer of " + std::to_string(size) + " bytes, expected at most 8");
    const std::uint64_t value = little(size);
    if (size == 0 || size == 8) return static_cast<std::int64_t>(value);
    const std::uint64_t sign = std::uint64_t{1} << (8 * size - 1);
    return static_cast<std::int64_t>(value ^ sign) - static_cast<std::int64_t>(sign);
  }

  // --- stack -----------------------------------------------------------------------------------------------------
  Id push(PickleNode node) {
    if (nodes_.size() >= k_most_nodes) fail("more than " + std::to_string(k_most_nodes) + " values");
    nodes_.push_back(std::move(node));
    return push_id(static_cast<Id>(nodes_.size() - 1));
  }
  Id push_id(Id id) {
    count_item();
    stack_.push_back(id);
    return id;
  }
  /// Bounds what references can make of few bytes.
  void count_item() {
    if (++n_items_ > k_most_items) fail("more than " + std::to_string(k_most_items) + " references");
  }
  /// Values above the last mark belong to the container that is being filled.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Id top() const {
    if (stack_.size() <= floor()) fail("a value is missing on the stack");
    return stack_.back();
  }
  Id pop() {
    const Id id = top();
    stack_.pop_back();
    return id;
  }
  std::vector<Id> pop_mark() {
    if (marks_.empty()) fail("a mark is missing on the stack");
    const auto begin = static_cast<std::ptrdiff_t>(marks_.back());
    marks_.pop_back();
    std::vector<Id> items(stack_.begin() + begin, stack_.end());
    stack_.resize(static_cast<std::size_t>(begin));
    return items;
  }
  std::vector<Id> pop_few(std::size_t count) {
    std::vector<Id> items(count);
    for (std::size_t k = count; k-- > 0;) items[k] = pop();
    return items;
  }

  // --- opcodes ---------------------------------------------------------------------------------------------------
  void push_integer(std::int64_t value) { push({.kind = Kind::integer, .integer = value}); }
  void push_text(Kind kind, std::string_view text) { push({.kind = kind, .text = text}); }

  bool literal(unsigned char opcode) {
    switch (opcode) {
      case 'N':
        push({});
        return true;
      case 0x88:
        push({.kind = Kind::boolean, .integer = 1});
        return true;
      case 0x89:
        push({.kind = Kind::boolean, .integer = 0});
        return true;
      case 'J':
        push_integer(twos_complement(4));
        return true;
      case 'K':
        push_integer(u8());
        return true;
      case 'M':
        push_integer(static_cast<std::int64_t>(little(2)));
        return true;
      case 0x8a:
        push_integer(twos_complement(u8()));
        return true;
      case 'G':
        push({.kind = Kind::real, .real = big_endian_double()});
        return true;
      case 'X':
        push_text(Kind::text, take(little(4)));
        return true;
      case 0x8c:
        push_text(Kind::text, take(little(1)));
        return true;
      case 0x8d:
        push_text(Kind::text, take(little(8)));
        return true;
      case 'U':
        push_text(Kind::bytes, take(little(1)));
        return true;
      case 'T':
        push_text(Kind::bytes, take(little(4)));
        return true;
      case 'C':
        push_text(Kind::bytes, take(little(1)));
        return true;
      case 'B':
        push_text(Kind::bytes, take(little(4)));
        return true;
      case 0x8e:
        push_text(Kind::bytes, take(little(8)));
        return true;
      default:
        return false;
    }
  }
  double big_endian_double() {
    std::uint64_t bits = 0;
    for (const char byte : take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
    return std::bit_cast<double>(bits);
  }

  bool container(unsigned char opcode) {
    switch (opcode) {
      case '(':
        count_item();
        marks_.push_back(stack_.size());
        return true;
      case '0':
        pop();
        return true;
      case '1':
        pop_mark();
        return true;
      case '2':
        push_id(top());
        return true;
      case ']':
        push({.kind = Kind::list});
        return true;
      case '}':
        push({.kind = Kind::dict});
        return true;
      case ')':
        push({.kind = Kind::tuple});
        return true;
      case 0x8f:
        push({.kind = Kind::set});
        return true;
      case 't':
        push({.kind = Kind::tuple, .items = pop_mark()});
        return true;
      case 0x91:
        push({.kind = Kind::set, .items = pop_mark()});
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push({.kind = Kind::tuple, .items = pop_few(opcode - 0x84u)});
        return true;
      case 'a':
        fill(pop_few(1), {Kind::list});
        return true;
      case 'e':
        fill(pop_mark(), {Kind::list});
        return true;
      case 's':
        fill(pop_few(2), {Kind::dict});
        return true;
      case 'u':
        fill(pop_mark(), {Kind::dict});
        return true;
      case 0x90:
        fill(pop_mark(), {Kind::set});
        return true;
      default:
        return false;
    }
  }
  void fill(const std::vector<Id>& items, Kind kind) {
    PickleNode& node = nodes_[top()];
    if (node.kind != kind && node.kind != Kind::object) fail("items are added to what is no container");
    if (kind == Kind::dict && items.size() % 2 != 0) fail("a key without a value");
    for (std::size_t k = 0; k < items.size(); ++k) count_item();
    node.items.insert(node.items.end(), items.begin(), items.end());
  }

  bool memory(unsigned char opcode) {
    switch (opcode) {
      case 0x80:
        if (const int protocol = u8(); protocol > k_newest_protocol)
          fail("protocol " + std::to_string(protocol) + ", expected at most " + std::to_string(k_newest_protocol));
        return true;
      case 0x95:
        take_frame();
        return true;
      case 'q':
        remember(little(1));
        return true;
      case 'r':
        remember(little(4));
        return true;
      case 0x94:
        remember(memo_.size());
        return true;
      case 'h':
        recall(little(1));
        return true;
      case 'j':
        recall(little(4));
        return true;
      default:
        return false;
    }
  }
  void take_frame() {
    if (little(8) > bytes_.size() - position_) fail("a frame reaches beyond the end: the file is truncated or damaged");
  }
  void remember(std::uint64_t key) {
    count_item();
    memo_[key] = top();
  }
  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("nothing was remembered as " + std::to_string(key));
    push_id(found->second);
  }

  bool construction(unsigned char opcode) {
    switch (opcode) {
      case 'c': {
        const std::string_view module = line();
        push({.kind = Kind::global, .text = module, .name = line()});
        return true;
      }
      case 0x93: {
        const auto parts = pop_few(2);
        if (nodes_[parts[0]].kind != Kind::text || nodes_[parts[1]].kind != Kind::text) fail("a name that is no text");
        push({.kind = Kind::global, .text = nodes_[parts[0]].text, .name = nodes_[parts[1]].text});
        return true;
      }
      case 'Q':
        push({.kind = Kind::persistent, .arguments = pop()});
        return true;
      case 'R':
      case 0x81: {
        const auto parts = pop_few(2);
        push({.kind = Kind::object, .callable = parts[0], .arguments = parts[1]});
        return true;
      }
      case 'b': {
        const Id state = pop();
        PickleNode& node = nodes_[top()];
        if (node.kind != Kind::object || node.state != PickleNode::k_none)
          fail("a state for what is no object, or has one");
        node.state = state;
        return true;
      }
      default:
        return false;
    }
  }

  std::string_view bytes_;
  std::vector<PickleNode>& nodes_;
  std::size_t position_ = 0, n_items_ = 0;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Id> memo_;
};

Pickle::Pickle(std::string_view bytes) { root_ = PickleMachine(bytes, nodes_).run(); }

}  // namespace tamiz::importer
