#include "tamiz/screening/cli/command.hpp"

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/memory.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/io/format.hpp"

namespace tamiz::cli {
namespace {

volatile std::sig_atomic_t g_stop = 0;

extern "C" void on_stop_signal(int) { g_stop = 1; }

void write_result(const std::string& target, const nlohmann::json& result) {
  // Names of files and what workers say may be no UTF-8.
  const std::string text = result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (target == "-") std::fwrite(text.data(), 1, text.size(), stdout);
  else write_file_atomically(target, text);
}

}  // namespace

void add_model_argument(CLI::App& command, std::string& model) {
  command.add_option("model", model, "Model (.safetensors) or classical potential (.toml)")->required()->check(CLI::ExistingFile);
}

void add_load_options(CLI::App& command, LoadOptions& options) {
  command.add_option("--dtype", options.dtype, "float32, float64, or bfloat16: faster, with forces good to about 1 %")
      ->check(CLI::IsMember({"float32", "float64", "bfloat16"}))->capture_default_str();
  command.add_option("--device", options.device, "cpu, cuda or cuda:N")->capture_default_str();
  command.add_option("--engine", options.engine, "fused or torch (default: fused on the cpu, else torch)")->check(CLI::IsMember({"fused", "torch"}));
  command.add_option_function<std::string>("--memory", [&options](const std::string& text) {
    try {
      options.memory = parse_bytes(text);
    } catch (const FormatError& error) {
      throw CLI::ValidationError("--memory", error.what());
    }
  }, "Memory for evaluations, as 2GiB (default: three quarters of what is there)");
}

void add_card(CLI::App& command, std::vector<std::string>& card) {
  const auto complaint = [](const std::string& entry) -> std::string {
    try {
      nlohmann::json(entry).dump();
    } catch (const nlohmann::json::exception&) {
      return "a text that is not UTF-8";
    }
    const std::size_t equals = entry.find('=');
    return equals == 0 || equals == std::string::npos ? "'" + entry + "', expected key=value" : "";
  };
  command.add_option("--card", card, "key=value for the model's card, as often as needed (level, training_set, licence)")
      ->allow_extra_args(false)
      ->check(complaint);
}

std::map<std::string, std::string> card_entries(const std::vector<std::string>& card) {
  std::map<std::string, std::string> entries;
  for (const std::string& entry : card) {
    const std::size_t equals = entry.find('=');
    entries[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return entries;
}

CLI::Validator positive() {
  return {[](const std::string& text) {
            double value = 0.0;
            const bool fits = CLI::detail::lexical_cast(text, value) && value > 0.0 && std::isfinite(value);
            return fits ? std::string() : "expected a number above 0, got " + text;
          },
          "POSITIVE"};
}

CLI::Validator not_negative() {
  return {[](const std::string& text) {
            double value = 0.0;
            const bool fits = CLI::detail::lexical_cast(text, value) && value >= 0.0 && std::isfinite(value);
            return fits ? std::string() : "expected 0 or more, got " + text;
          },
          "NONNEGATIVE"};
}

void check_output(const std::filesystem::path& path, bool is_structures) {
  namespace fs = std::filesystem;
  if (is_structures) {
    const Format& format = format_for(path);
    if (!format.write) throw CapabilityError("format " + format.name + " cannot be written, only read");
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (fs::is_directory(path)) throw FileError("cannot write " + path.string() + ": it names a folder");
  if (!fs::is_directory(folder)) throw FileError("cannot write " + path.string() + ": there is no folder " + folder.string());
  // A pipe or device is written to as it is, anything else replaced by a new file in its folder.
  if (fs::exists(path) && !fs::is_regular_file(path)) {
    if (::access(path.c_str(), W_OK) != 0) throw FileError("cannot write " + path.string() + ": no permission");
    return;
  }
  if (::access(folder.c_str(), W_OK) != 0) throw FileError("cannot write " + path.string() + ": no permission in " + folder.string());
}

bool stop_requested() { return g_stop != 0; }

void install_stop_signals() {
  struct sigaction action{};
  action.sa_handler = on_stop_signal;
  // A second signal of the same kind ends the program at once, for whoever cannot wait.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaction(signal, &action, nullptr);
}

int threads_of(const Common& common) { return common.threads > 0 ? common.threads : available_threads(); }

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& summary, const std::string& example,
                      Body body) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->footer("Example:\n  " + example);
  auto common = std::make_shared<Common>();
  command->add_option("--json", common->json, "Write the result as JSON to this file, - for standard output");
  command->add_flag("--quiet", common->quiet, "Say nothing but errors");
  command->add_option("--threads", common->threads, "Threads (0: what the machine grants)")->check(not_negative());
  command->callback([common, body = std::move(body)] {
    if (common->quiet) log::set_level(log::Level::error);
    if (!common->json.empty() && common->json != "-") check_output(common->json, false);
    nlohmann::json result = nlohmann::json::object();
    const int code = body(*common, result);
    if (!common->json.empty()) write_result(common->json, result);
    if (code != k_done) throw CLI::RuntimeError(code);
  });
  return command;
}

}  // namespace tamiz::cli
