// The program `tamiz`: one subcommand per file cmd_<name>.cpp.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "tamiz/core/base/text.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/precursors/molecular_formats.hpp"

namespace tamiz::cli {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  return names;
}

/// A first word that is no command is most often a typing error.
void suggest_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::vector<std::string> names = command_names(app);
  for (const std::string& name : names)
    if (name == argv[1]) return;
  const std::string nearest = nearest_name(argv[1], names);
  std::fprintf(stderr, "tamiz: error: unknown command '%s'%s\n", argv[1],
               nearest.empty() ? "" : (", did you mean " + nearest + "?").c_str());
}

int run(int argc, char** argv) {
  CLI::App app{"Tamiz finds new semiconductor materials", "tamiz"};
  app.set_version_flag("--version", std::string(version()) + " (" + std::string(commit()) + ")");
  app.require_subcommand(1);
  register_molecular_formats();
  add_discover(app);
  add_report(app);
  add_propose(app);
  add_select(app);
  add_label(app);
  add_dataset(app);
  add_train(app);
  add_evaluate(app);
  add_train_gaps(app);
  add_gaps(app);
  add_relax(app);
  add_md(app);
  add_phonon(app);
  add_convert(app);
  add_import(app);
  add_info(app);
  add_doctor(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& end) {
    return end.get_exit_code();
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    suggest_command(app, argc, argv);
    app.exit(error);
    return k_wrong_use;
  }
  return k_done;
}

}  // namespace
}  // namespace tamiz::cli

int main(int argc, char** argv) {
  try {
    return tamiz::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "tamiz: error: out of memory: evaluate fewer or smaller structures, or grant more memory\n");
    return tamiz::cli::k_failed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tamiz: error: %s\n", error.what());
    return tamiz::cli::k_failed;
  }
}
