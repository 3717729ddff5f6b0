#pragma once

#include <string_view>

/// Messages to people, on standard error. The library behind it stays out of this header.
namespace tamiz::log {

enum class Level { debug, info, warning, error, off };

void set_level(Level level);
Level level();
void info(std::string_view message);
void warning(std::string_view message);
/// Logs the same text once per process.
void warning_once(std::string_view message);
void error(std::string_view message);

}  // namespace tamiz::log
