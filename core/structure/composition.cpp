#include "tamiz/core/structure/composition.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

/// Recursive descent over "Ca3(PO4)2".
class FormulaParser {
 public:
  explicit FormulaParser(std::string_view text) : text_(text) {}

  std::map<Element, int> parse() {
    auto counts = group();
    if (position_ != text_.size() || counts.empty()) fail();
    return counts;
  }

 private:
  [[noreturn]] void fail() const {
    throw FormatError("formula '" + std::string(text_) + "' is wrong at position " + std::to_string(position_ + 1) +
                      ", expected something like CaMg2N2");
  }
  char peek(std::size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }

  int number() {
    int value = 0;
    bool any = false;
    while (std::isdigit(static_cast<unsigned char>(peek()))) {
      value = 10 * value + (text_[position_++] - '0');
      any = true;
      if (value > k_largest_count) fail();
    }
    if (any && value == 0) fail();
    return any ? value : 1;
  }

  std::map<Element, int> group() {
    if (++depth_ > k_deepest_nesting) fail();
    std::map<Element, int> counts;
    while (peek() == '(' || std::isupper(static_cast<unsigned char>(peek()))) {
      std::map<Element, int> part;
      if (peek() == '(') {
        ++position_;
        part = group();
        if (peek() != ')') fail();
        ++position_;
      } else {
        std::size_t length = 1;
        while (std::islower(static_cast<unsigned char>(peek(length)))) ++length;
        part[Element::from_symbol(text_.substr(position_, length))] = 1;
        position_ += length;
      }
      const int factor = number();
      for (const auto& [element, count] : part) {
        const long long total = counts[element] + static_cast<long long>(factor) * count;
        if (total > k_largest_count) fail();
        counts[element] = static_cast<int>(total);
      }
    }
    --depth_;
    return counts;
  }

  static constexpr int k_largest_count = 1'000'000;
  static constexpr int k_deepest_nesting = 32;
  std::string_view text_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

}  // namespace

Composition::Composition(std::span<const Element> species) {
  for (const Element element : species) ++counts_[element];
}

Composition::Composition(std::map<Element, int> counts) : counts_(std::move(counts)) {
  for (const auto& [element, count] : counts_)
    if (count <= 0) throw ShapeError("a composition needs positive counts, got " + std::to_string(count));
}

Composition Composition::from_formula(std::string_view formula) { return Composition(FormulaParser(formula).parse()); }

int Composition::n_atoms() const {
  int total = 0;
  for (const auto& [element, count] : counts_) total += count;
  return total;
}

int Composition::count(Element element) const {
  const auto found = counts_.find(element);
  return found == counts_.end() ? 0 : found->second;
}

double Composition::fraction(Element element) const { return static_cast<double>(count(element)) / n_atoms(); }

int Composition::formula_units() const {
  int divisor = 0;
  for (const auto& [element, count] : counts_) divisor = std::gcd(divisor, count);
  return std::max(1, divisor);
}

Composition Composition::reduced() const {
  const int divisor = formula_units();
  std::map<Element, int> counts;
  for (const auto& [element, count] : counts_) counts[element] = count / divisor;
  return Composition(std::move(counts));
}

std::string Composition::formula() const {
  std::vector<std::pair<Element, int>> entries(counts_.begin(), counts_.end());
  const auto key = [](Element element) {
    const double value = element.electronegativity();
    return std::pair(std::isnan(value) ? 99.0 : value, element.symbol());
  };
  std::sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) { return key(a.first) < key(b.first); });
  std::string text;
  for (const auto& [element, count] : entries) {
    text += element.symbol();
    if (count > 1) text += std::to_string(count);
  }
  return text;
}

std::string Composition::system() const {
  std::vector<std::string> symbols;
  for (const auto& [element, count] : counts_) symbols.emplace_back(element.symbol());
  std::sort(symbols.begin(), symbols.end());
  std::string text;
  for (const std::string& symbol : symbols) text += (text.empty() ? "" : "-") + symbol;
  return text;
}

}  // namespace tamiz
