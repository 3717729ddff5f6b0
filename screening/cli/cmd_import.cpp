#include <fmt/format.h>

#include <memory>

#include "tamiz/core/base/log.hpp"
#include "tamiz/potentials/engine/import/import_mace.hpp"
#include "tamiz/screening/cli/command.hpp"

namespace tamiz::cli {
namespace {

struct Options {
  std::string checkpoint, output = "model.safetensors", head;
  std::vector<std::string> card;
};

int run(const Options& options, nlohmann::json& result) {
  const ModelFile model = import_mace(options.checkpoint, {options.head, card_entries(options.card)});
  model.write(options.output);
  log::info(fmt::format("{}: {} elements, cutoff {} Å, head {}; written to {}", model.card.entries.at("name"),
                        model.description.elements.size(), model.description.cutoff, model.card.entries.at("head"),
                        options.output));
  result = {{"output", options.output}, {"card", model.card.entries}};
  return k_done;
}

}  // namespace

void add_import(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, "import", "Make a model of one that mace-torch saved, without executing anything of it",
                  "tamiz import mace-mpa-0-medium.model -o model.safetensors",
                  [options](const Common&, nlohmann::json& result) { return run(*options, result); });
  command->add_option("checkpoint", options->checkpoint, "File that torch.save wrote of a MACE model (.model)")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("-o,--output", options->output, "Model to write")->capture_default_str();
  command->add_option("--head", options->head,
                      "Which read-out of a model with several (default: the only one, or the one named \"default\")");
  add_card(*command, options->card);
}

}  // namespace tamiz::cli
