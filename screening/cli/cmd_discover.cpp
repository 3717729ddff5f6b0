#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "tamiz/core/base/log.hpp"
#include "tamiz/screening/campaign/campaign.hpp"
#include "tamiz/screening/cli/command.hpp"

namespace tamiz::cli {

void add_discover(CLI::App& app) {
  struct Options {
    std::string config, folder;
    bool resume = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, "discover", "Propose, relax, assess, label with DFT, train, rank and report",
      "tamiz discover campaign.toml -o runs/nitrides --resume",
      [options](const Common& common, nlohmann::json& result) {
        install_stop_signals();
        const CampaignConfig config = CampaignConfig::read(options->config);
        const std::filesystem::path folder = options->folder.empty() ? "runs/" + config.name : options->folder;
        Campaign campaign(config, folder, options->resume, common.threads);
        const Campaign::End end = campaign.run(stop_requested);
        result = {{"run", folder.string()}, {"finished", end == Campaign::End::finished}};
        if (end == Campaign::End::stopped) {
          log::info(fmt::format("stopped; go on with: tamiz discover {} -o {} --resume", options->config, folder.string()));
          return k_stopped;
        }
        const auto report = std::filesystem::absolute(folder / "report.html").string();
        result["report"] = report;
        if (common.speaks()) fmt::print("{}\n", report);
        return k_done;
      });
  command->add_option("campaign", options->config, "Campaign file")->required()->check(CLI::ExistingFile);
  command->add_option("-o,--output", options->folder, "Run folder (default: runs/<name>)");
  command->add_flag("--resume", options->resume, "Go on with the campaign in the run folder");
}

}  // namespace tamiz::cli
