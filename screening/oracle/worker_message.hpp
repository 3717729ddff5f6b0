#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tamiz/screening/oracle/oracle.hpp"

/// Our side of the lines of the worker protocol (screening/oracle/README.md).
namespace tamiz::worker_message {

inline constexpr int k_protocol = 1;

/// The line that asks for a label. Throws FormatError when the settings are not a JSON object.
std::string label(const LabelRequest& request);
std::string quit();

/// How a worker introduced itself.
struct Hello {
  std::string name, version;
};
/// Throws OracleError for anything but a greeting in our version of the protocol.
Hello parse_hello(std::string_view line);

/// What a worker says about the request it works on: one more geometry, or the result.
struct Answer {
  bool is_result = false;
  LabelResult result;  ///< if `is_result`; its cost is negative where the worker did not say
  std::optional<Frame> step;         ///< otherwise this
  std::optional<std::string> state;  ///< or this: what LabelRequest::state is to be if the label is cut off
};
/// Reads one line. Throws OracleError for what breaks the protocol: no JSON (a number that is not finite is
/// none), an unknown type, another request's id, a step that is no frame of the request's atoms,
/// a state that is no object. A result
/// whose content is unusable becomes a failed label with the reason.
Answer parse_answer(std::string_view line, const LabelRequest& request);

}  // namespace tamiz::worker_message
