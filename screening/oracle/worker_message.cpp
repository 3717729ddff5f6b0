#include "tamiz/screening/oracle/worker_message.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz::worker_message {
namespace {

using nlohmann::json;

constexpr std::size_t k_quoted = 80;  // characters of a bad line that a message quotes

std::string quote(std::string_view line) {
  std::string text(line.substr(0, k_quoted));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return '"' + text + (line.size() > k_quoted ? "..." : "") + '"';
}

json parse_object(std::string_view line) {
  json message = json::parse(line, nullptr, false);
  if (!message.is_object()) throw OracleError("expected a JSON object of finite numbers on one line, got " + quote(line));
  return message;
}

std::string text_member(const json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A frame about the atoms of the request. Throws FormatError.
Frame frame_about(const json& message, const LabelRequest& request) {
  if (!message.contains("frame")) throw FormatError("member frame is missing");
  Frame frame = frame_from_json(message.at("frame"));
  if (!std::ranges::equal(frame.structure.species(), request.structure.species()))
    throw FormatError("the frame has other atoms than the request, or another order");
  if (!frame.labels.energy) frame.labels.energy = frame.labels.free_energy;  // the only energy there is
  return frame;
}

void check_complete(const LabelResult& result, const json& properties, LabelTask task) {
  if (task == LabelTask::gap) {
    const auto gap = properties.find("gap");
    if (gap == properties.end() || !gap->is_number()) throw FormatError("a gap was asked for, but property gap is missing");
  } else if (!result.frame->labels.consistent_energy()) {
    throw FormatError("an energy was asked for, but the frame has none");
  }
}

/// Properties are free, but these have a meaning here, and a ledger keeps them for good.
json properties_of(const json& message) {
  const json properties = message.value("properties", json::object());
  if (!properties.is_object()) throw FormatError("properties: expected an object");
  for (const char* key : {"gap", "gap_direct", "cost_before"})
    if (properties.contains(key) && !properties.at(key).is_number()) throw FormatError(std::string("property ") + key + ": expected a number");
  for (const char* key : {"mesh", "gap_kind", "gap_level", "oracle", "version"})
    if (properties.contains(key) && !properties.at(key).is_string()) throw FormatError(std::string("property ") + key + ": expected a text");
  return properties;
}

void fill(LabelResult& result, const json& message, const LabelRequest& request) {
  const std::string status = text_member(message, "status");
  if (status != "finished" && status != "failed")
    throw FormatError("status: expected finished or failed, got " + quote(status));
  const json properties = properties_of(message);
  result.properties = properties.dump();
  if (status == "failed") {
    result.reason = text_member(message, "reason");
    if (result.reason.empty()) result.reason = "the worker gave no reason";
    return;
  }
  result.frame = frame_about(message, request);
  check_complete(result, properties, request.task);
  result.status = LabelStatus::finished;
}

double cost_of(const json& message) {
  const auto cost = message.find("cost");
  if (cost == message.end() || !cost->is_number()) return -1.0;
  const double value = cost->get<double>();
  return std::isfinite(value) ? value : -1.0;
}

LabelResult result_of(const json& message, const LabelRequest& request) {
  LabelResult result;
  result.cost = cost_of(message);
  try {
    fill(result, message, request);
  } catch (const Error& error) {
    result.frame.reset();
    result.status = LabelStatus::failed;
    result.reason = std::string("unusable result: ") + error.what();
  }
  return result;
}

}  // namespace

std::string label(const LabelRequest& request) {
  json message{{"type", "label"},
               {"id", request.id},
               {"task", to_string(request.task)},
               {"structure", structure_to_json(request.structure)},
               {"settings", settings_from_text(request.settings)}};
  for (const auto& row : request.curvature.rowwise()) message["curvature"].push_back(std::vector<double>(row.begin(), row.end()));
  if (!request.state.empty()) message["state"] = json::parse(request.state);
  return message.dump();
}

std::string quit() { return json{{"type", "quit"}}.dump(); }

Hello parse_hello(std::string_view line) {
  const json message = parse_object(line);
  if (text_member(message, "type") != "hello") throw OracleError("expected a hello, got " + quote(line));
  const json protocol = message.value("protocol", json());
  if (protocol != k_protocol)
    throw OracleError("expected protocol " + std::to_string(k_protocol) + ", the worker speaks " + protocol.dump());
  return {text_member(message, "name"), text_member(message, "version")};
}

Answer parse_answer(std::string_view line, const LabelRequest& request) {
  const json message = parse_object(line);
  const std::string type = text_member(message, "type");
  if (type != "step" && type != "state" && type != "result")
    throw OracleError("expected a step, a state or a result, got " + quote(line));
  if (text_member(message, "id") != request.id)
    throw OracleError("expected an answer to " + request.id + ", got one to " + quote(text_member(message, "id")));
  Answer answer;
  answer.is_result = type == "result";
  if (answer.is_result) {
    answer.result = result_of(message, request);
    return answer;
  }
  if (type == "state") {
    const json state = message.value("state", json());
    if (!state.is_object()) throw OracleError("expected a state that is an object, got " + quote(line));
    answer.state = state.dump();
    return answer;
  }
  try {
    answer.step = frame_about(message, request);
  } catch (const Error& error) {
    throw OracleError(std::string("unusable step: ") + error.what());
  }
  return answer;
}

}  // namespace tamiz::worker_message
