#include <fmt/format.h>

#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/screening/campaign/data_set_recipe.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/data_set_info.hpp"

namespace tamiz::cli {

void add_dataset(CLI::App& app) {
  struct Options {
    std::string recipe, output;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, "dataset", "Make a data set of the labels in ledgers", "tamiz dataset recipe.toml -o nitrides.h5",
                                  [options](const Common&, nlohmann::json& result) {
                                    check_output(options->output);
                                    const DataSet data = make_data_set(DataSetRecipe::read(options->recipe));
                                    if (data.frames.empty()) throw FormatError("the ledgers hold no label that finished");
                                    write_data_set(options->output, data);
                                    result = data_set_info(data);
                                    result["output"] = options->output;
                                    log::info(fmt::format("{} frames and {} failures written to {}", data.frames.size(),
                                                          data.failures.size(), options->output));
                                    return k_done;
                                  });
  command->add_option("recipe", options->recipe, "TOML file: ledgers, card and split")->required()->check(CLI::ExistingFile);
  command->add_option("-o,--output", options->output, "Data set (.h5)")->required();
}

}  // namespace tamiz::cli
