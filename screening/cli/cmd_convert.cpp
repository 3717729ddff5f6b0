#include <fmt/format.h>

#include <memory>

#include "tamiz/core/base/log.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/screening/cli/command.hpp"

namespace tamiz::cli {

void add_convert(CLI::App& app) {
  struct Options {
    std::string input, output, from, to;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, "convert", "Convert a structure file to another format", "tamiz convert POSCAR crystal.cif",
                                  [options](const Common&, nlohmann::json& result) {
                                    const std::vector<Frame> frames = read_frames(options->input, options->from);
                                    write_frames(options->output, frames, options->to);
                                    log::info(fmt::format("{} structures written to {}", frames.size(), options->output));
                                    result = {{"structures", frames.size()}, {"output", options->output}};
                                    return k_done;
                                  });
  command->add_option("input", options->input, "File to read")->required()->check(CLI::ExistingFile);
  command->add_option("output", options->output, "File to write")->required();
  command->add_option("--from", options->from, "Format of the input (default: by its name)");
  command->add_option("--to", options->to, "Format of the output (default: by its name)");
}

}  // namespace tamiz::cli
