#include "tamiz/core/io/cif_document.hpp"

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {
namespace {

struct Token {
  std::string text;
  int line = 0;
  bool quoted = false;
};

class Tokenizer {
 public:
  Tokenizer(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  bool next(Token& token) {
    skip_blanks();
    if (at_ >= text_.size()) return false;
    token = {"", line_, false};
    const char c = text_[at_];
    if (c == ';' && at_line_start()) take_text_field(token);
    else if (c == '\'' || c == '"') take_quoted(token, c);
    else
      while (at_ < text_.size() && !is_blank(text_[at_])) token.text += text_[at_++];
    return true;
  }
  [[noreturn]] void fail(int line, const std::string& message) const {
    throw FormatError(name_ + ":" + std::to_string(line) + ": " + message);
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  bool at_line_start() const { return at_ == 0 || text_[at_ - 1] == '\n'; }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (is_blank(text_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }
  void take_quoted(Token& token, char quote) {
    token.quoted = true;
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      // A quote inside a word does not end it: 'a dog's life'.
      if (text_[at_] == quote && (at_ + 1 == text_.size() || is_blank(text_[at_ + 1]))) {
        ++at_;
        return;
      }
      token.text += text_[at_];
    }
    fail(token.line, "a quote is not closed");
  }
  void take_text_field(Token& token) {
    token.quoted = true;
    const std::size_t end = text_.find("\n;", at_ + 1);
    if (end == std::string_view::npos) fail(token.line, "a text field is not closed");
    token.text = std::string(text_.substr(at_ + 1, end - at_ - 1));
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.begin() + static_cast<std::ptrdiff_t>(end) + 1, '\n'));
    at_ = end + 2;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  int line_ = 1;
};

bool is_key(const Token& token) { return !token.quoted && token.text.starts_with('_'); }
bool starts_word(const Token& token, std::string_view word) { return !token.quoted && lower(token.text).starts_with(word); }

/// Whether a token ends the values of a loop.
bool is_reserved(const Token& token) {
  return is_key(token) || starts_word(token, "data_") || starts_word(token, "loop_") || starts_word(token, "save_") ||
         starts_word(token, "global_") || starts_word(token, "stop_");
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : tokens_(text, name) { has_token_ = tokens_.next(token_); }

  std::vector<CifBlock> parse() {
    std::vector<CifBlock> blocks;
    while (has_token_) {
      if (starts_word(token_, "data_")) {
        blocks.push_back({token_.text.substr(5), token_.line, {}, {}});
        advance();
        continue;
      }
      if (blocks.empty()) tokens_.fail(token_.line, "expected data_, got '" + token_.text.substr(0, 40) + "'");
      if (starts_word(token_, "loop_")) blocks.back().loops.push_back(parse_loop());
      else if (is_key(token_)) parse_value(blocks.back());
      else if (is_reserved(token_)) advance();
      else tokens_.fail(token_.line, "a value without a key: '" + token_.text.substr(0, 40) + "'");
    }
    return blocks;
  }

 private:
  void advance() { has_token_ = tokens_.next(token_); }

  void parse_value(CifBlock& block) {
    const Token key = token_;
    advance();
    if (!has_token_ || is_reserved(token_)) tokens_.fail(key.line, key.text + " has no value");
    block.values[lower(key.text)] = {token_.text, token_.line};
    advance();
  }
  CifLoop parse_loop() {
    CifLoop loop;
    loop.line = token_.line;
    advance();
    while (has_token_ && is_key(token_)) {
      loop.keys.push_back(lower(token_.text));
      advance();
    }
    if (loop.keys.empty()) tokens_.fail(loop.line, "a loop without keys");
    while (has_token_ && !is_reserved(token_)) {
      loop.values.push_back({token_.text, token_.line});
      advance();
    }
    if (loop.values.size() % loop.keys.size() != 0)
      tokens_.fail(loop.line, "a loop of " + std::to_string(loop.keys.size()) + " columns holds " + std::to_string(loop.values.size()) + " values");
    return loop;
  }

  Tokenizer tokens_;
  Token token_;
  bool has_token_ = false;
};

}  // namespace

bool CifLoop::has(std::string_view key) const { return std::find(keys.begin(), keys.end(), lower(key)) != keys.end(); }

std::vector<CifValue> CifLoop::column(std::string_view key) const {
  const auto position = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), lower(key)) - keys.begin());
  std::vector<CifValue> column;
  if (position == keys.size()) return column;
  for (std::size_t k = position; k < values.size(); k += keys.size()) column.push_back(values[k]);
  return column;
}

const CifValue* CifBlock::value(std::string_view key) const {
  const auto found = values.find(lower(key));
  return found == values.end() ? nullptr : &found->second;
}

const CifLoop* CifBlock::loop_with(std::string_view key) const {
  for (const CifLoop& loop : loops)
    if (loop.has(key)) return &loop;
  return nullptr;
}

std::vector<CifBlock> parse_cif_document(std::string_view text, const std::string& name) { return Parser(text, name).parse(); }

}  // namespace tamiz
