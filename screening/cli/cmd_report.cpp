#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "tamiz/screening/campaign/campaign.hpp"
#include "tamiz/screening/cli/command.hpp"

namespace tamiz::cli {

void add_report(CLI::App& app) {
  auto folder = std::make_shared<std::string>();
  CLI::App* command = add_command(app, "report", "Write the report of a run again, from its ledger", "tamiz report runs/nitrides",
                                  [folder](const Common& common, nlohmann::json& result) {
                                    rewrite_report(*folder);
                                    const auto path = std::filesystem::absolute(std::filesystem::path(*folder) / "report.html");
                                    result = {{"report", path.string()}};
                                    if (common.speaks()) fmt::print("{}\n", path.string());
                                    return k_done;
                                  });
  command->add_option("run", *folder, "Run folder")->required()->check(CLI::ExistingDirectory);
}

}  // namespace tamiz::cli
