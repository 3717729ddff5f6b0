#include "tamiz/potentials/engine/training/errors_json.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace tamiz {
namespace {

using Number = std::optional<double> ErrorSummary::*;

constexpr std::array<std::pair<const char*, Number>, 5> k_numbers{{{"energy_mae", &ErrorSummary::energy_mae},
                                                                   {"energy_rmse", &ErrorSummary::energy_rmse},
                                                                   {"force_mae", &ErrorSummary::force_mae},
                                                                   {"stress_mae", &ErrorSummary::stress_mae},
                                                                   {"mean_force", &ErrorSummary::mean_force}}};

}  // namespace

std::string json_text(const ErrorSummary& errors) {
  nlohmann::json json{{"n_frames", errors.n_frames}, {"n_atoms", errors.n_atoms}, {"score", errors.score}};
  for (const auto& [name, number] : k_numbers) {
    const std::optional<double>& value = errors.*number;
    json[name] = value ? nlohmann::json(*value) : nlohmann::json(nullptr);
  }
  return json.dump();
}

ErrorSummary error_summary_from_json(const std::string& text) {
  const nlohmann::json json = nlohmann::json::parse(text);
  ErrorSummary errors;
  errors.n_frames = json.at("n_frames");
  errors.n_atoms = json.at("n_atoms");
  if (!json.contains("score")) errors.score = 0.0;  // ledgers before there was one
  else if (json.at("score").is_number()) errors.score = json.at("score").get<double>();
  for (const auto& [name, number] : k_numbers)
    if (const nlohmann::json& value = json.at(name); !value.is_null()) errors.*number = value.get<double>();
  return errors;
}

}  // namespace tamiz
