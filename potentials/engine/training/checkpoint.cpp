#include "tamiz/potentials/engine/training/checkpoint.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {
namespace {

// First line: "tamiz-checkpoint <version> <hash of the rest>\n"; second line: JSON; then the arrays.
constexpr std::string_view k_magic = "tamiz-checkpoint 3 ";
constexpr std::size_t k_hash = 32;

std::string_view bytes_of(const std::vector<double>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
}

std::vector<double> take(std::string_view& bytes, std::size_t size) {
  std::vector<double> values(size);
  std::memcpy(values.data(), bytes.data(), size * sizeof(double));
  bytes.remove_prefix(size * sizeof(double));
  return values;
}

TrainingState parse(const std::string& bytes) {
  const std::size_t body = k_magic.size() + k_hash + 1;
  if (bytes.size() < body || bytes.compare(0, k_magic.size(), k_magic) != 0)
    throw FormatError("not a training checkpoint of format version 3");
  std::string_view rest = std::string_view(bytes).substr(body);
  if (bytes[body - 1] != '\n' || hash_hex(rest) != bytes.substr(k_magic.size(), k_hash))
    throw FormatError("the checksum differs: the checkpoint is truncated or was altered; remove it to start anew");
  const std::size_t line = rest.find('\n');
  const auto json = nlohmann::json::parse(rest.substr(0, line));
  rest.remove_prefix(line + 1);
  const auto size = json.at("size").get<std::size_t>();
  const bool has_best = json.at("has_best").get<bool>();
  if (rest.size() != (has_best ? 6 : 5) * size * sizeof(double)) throw FormatError("the arrays of the checkpoint have another size");
  TrainingState state;
  state.run = json.at("run").get<std::string>();
  state.steps = json.at("steps").get<std::int64_t>();
  state.optimizer.step = json.at("step").get<std::int64_t>();
  state.parameters = take(rest, size);
  state.average = take(rest, size);
  state.optimizer.first = take(rest, size);
  state.optimizer.second = take(rest, size);
  state.optimizer.largest_second = take(rest, size);
  if (has_best) state.best = take(rest, size);
  state.best_score = json.at("best_score").get<double>();
  state.stale = json.at("stale").get<int>();
  state.batch_parts = json.at("batch_parts").get<std::size_t>();
  return state;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const TrainingState& state) {
  const nlohmann::json json{{"run", state.run},
                            {"steps", state.steps},
                            {"step", state.optimizer.step},
                            {"size", state.parameters.size()},
                            {"has_best", !state.best.empty()},
                            {"best_score", state.best_score},
                            {"stale", state.stale},
                            {"batch_parts", state.batch_parts}};
  const std::string line = json.dump() + "\n";
  // Memory may be short: the arrays are written from where they are.
  std::vector<std::string_view> pieces{line, bytes_of(state.parameters), bytes_of(state.average), bytes_of(state.optimizer.first),
                                       bytes_of(state.optimizer.second), bytes_of(state.optimizer.largest_second),
                                       bytes_of(state.best)};
  const std::string first = std::string(k_magic) + hash_hex(pieces) + "\n";
  pieces.insert(pieces.begin(), first);
  write_file_atomically(path, pieces);
}

std::optional<TrainingState> read_checkpoint(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::string bytes = read_file(path);
  try {
    return parse(bytes);
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(path.string() + ": damaged checkpoint: " + error.what());
  } catch (const FormatError& error) {
    throw FormatError(path.string() + ": " + error.what());
  }
}

std::optional<std::int64_t> planned_steps(const std::filesystem::path& checkpoint) {
  const auto state = read_checkpoint(checkpoint);
  if (!state) return std::nullopt;
  return state->steps;
}

}  // namespace tamiz
