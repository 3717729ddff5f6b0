#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "tamiz/core/base/error.hpp"

namespace tamiz {

/// Lines of a text with the number of the present one, for messages. The text must outlive it.
class Lines {
 public:
  Lines(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

  /// False at the end of the text.
  bool next(std::string_view& line) {
    if (position_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    line = text_.substr(position_, end - position_);
    position_ = end + 1;
    ++number_;
    return true;
  }
  /// For formats whose next line must be there. Throws FormatError at the end of the text.
  std::string_view next() {
    std::string_view line;
    if (!next(line)) fail("the file ends too early");
    return line;
  }
  std::size_t remaining() const { return text_.size() - std::min(position_, text_.size()); }
  std::string where() const { return name_ + ":" + std::to_string(number_); }
  [[noreturn]] void fail(const std::string& message) const { throw FormatError(where() + ": " + message); }

 private:
  std::string_view text_;
  std::string name_;
  std::size_t position_ = 0, number_ = 0;
};

}  // namespace tamiz
