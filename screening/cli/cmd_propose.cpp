#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>

#include "tamiz/core/io/format.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/propose/options.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::string campaign;
  std::string output;
};

Frame frame_of(const Candidate& candidate) {
  Frame frame{candidate.structure, {}, {}, {}};
  frame.info = {{"candidate", candidate.id},
                {"origin", candidate.origin},
                {"prototype", candidate.prototype},
                {"decoration", candidate.decoration},
                {"oxidation", candidate.oxidation}};
  return frame;
}

/// "duplicate of c0003" counts as "duplicate", "overlap: ..." as "overlap".
std::string kind_of(const std::string& reason) {
  if (reason.starts_with("duplicate")) return "duplicate";
  return reason.substr(0, reason.find(':'));
}

int run(const Arguments& arguments, const Common& common, nlohmann::json& result) {
  check_output(arguments.output);
  const Proposal proposal = propose(propose_options_from_toml(arguments.campaign));
  std::vector<Frame> frames;
  std::map<std::string, int> origins;
  std::map<std::string, int> formulas;
  std::map<std::string, int> reasons;
  for (const Candidate& candidate : proposal.candidates) {
    frames.push_back(frame_of(candidate));
    ++origins[candidate.origin];
    ++formulas[candidate.structure.composition().reduced().formula()];
  }
  result["rejections"] = nlohmann::json::array();
  for (const Rejection& rejection : proposal.rejections) {
    ++reasons[kind_of(rejection.reason)];
    result["rejections"].push_back({{"what", rejection.what}, {"reason", rejection.reason}});
  }
  write_frames(arguments.output, frames);
  result["candidates"] = frames.size();
  result["origins"] = origins;
  result["formulas"] = formulas;
  result["rejected"] = reasons;
  if (common.speaks()) {
    fmt::print("{} candidates of {} compositions written to {}\n", frames.size(), formulas.size(), arguments.output);
    for (const auto& [origin, n] : origins) fmt::print("  {:<11}{:5}\n", origin, n);
    for (const auto& [reason, n] : reasons) fmt::print("  {:5} left out: {}\n", n, reason);
  }
  return k_done;
}

}  // namespace

void add_propose(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "propose", "candidates of the chemical systems of a campaign, before any energy is known",
      "tamiz propose campaign.toml -o candidates.xyz",
      [arguments](const Common& common, nlohmann::json& result) { return run(*arguments, common, result); });
  command->add_option("campaign", arguments->campaign, "campaign file with [campaign] and [propose]")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("-o,--output", arguments->output, "structure file to write, by its extension")->required();
}

}  // namespace tamiz::cli
