#include "tamiz/screening/precursors/babel_client.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/temporary_folder.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/screening/oracle/worker_process.hpp"

namespace tamiz {
namespace {

using nlohmann::json;

constexpr auto k_timeout = std::chrono::seconds(120);  // building coordinates of a large molecule takes a while

Frame frame_of(const json& molecule) {
  const auto& symbols = molecule.at("symbols");
  std::vector<Element> species;
  Coordinates positions(static_cast<Eigen::Index>(symbols.size()), 3);
  for (std::size_t k = 0; k < symbols.size(); ++k) {
    species.push_back(Element::from_symbol(symbols[k].get<std::string>()));
    for (int d = 0; d < 3; ++d) positions(static_cast<Eigen::Index>(k), d) = molecule.at("positions")[k].at(static_cast<std::size_t>(d));
  }
  Lattice lattice;
  const bool periodic = molecule.contains("cell");
  if (periodic) {
    Mat3 rows;
    for (int i = 0; i < 3; ++i)
      for (int d = 0; d < 3; ++d) rows(i, d) = molecule["cell"][static_cast<std::size_t>(i)].at(static_cast<std::size_t>(d));
    lattice = Lattice(rows);
  }
  Frame frame{Structure(lattice, periodic ? k_periodic : k_molecule, std::move(species), Cartesian{positions}), {}, {}, {}};
  if (const std::string title = molecule.value("title", std::string()); !title.empty()) frame.info["title"] = title;
  frame.info["charge"] = std::to_string(molecule.value("charge", 0));
  return frame;
}

json molecule_of(const Frame& frame) {
  json value{{"symbols", json::array()}, {"positions", json::array()}};
  for (const Element element : frame.structure.species()) value["symbols"].push_back(std::string(element.symbol()));
  const Coordinates positions = frame.structure.positions();
  for (Eigen::Index k = 0; k < positions.rows(); ++k) value["positions"].push_back({positions(k, 0), positions(k, 1), positions(k, 2)});
  if (frame.structure.is_periodic()) {
    const Mat3& rows = frame.structure.lattice().rows();
    value["cell"] = json::array();
    for (int i = 0; i < 3; ++i) value["cell"].push_back({rows(i, 0), rows(i, 1), rows(i, 2)});
  }
  for (const char* key : {"title", "name"})
    if (const auto found = frame.info.find(key); found != frame.info.end()) value["title"] = found->second;
  if (const auto charge = frame.info.find("charge"); charge != frame.info.end()) value["charge"] = parse_integer(charge->second, "charge");
  return value;
}

}  // namespace

std::filesystem::path babel_program() {
  if (const char* named = std::getenv("TAMIZ_BABEL")) {
    if (!std::filesystem::exists(named)) throw CapabilityError(fmt::format("TAMIZ_BABEL names {}, which does not exist", named));
    return named;
  }
  for (const char* place : {"tamiz-babel", "../bin/tamiz-babel", "../../../../bin/tamiz-babel"})
    if (const auto path = own_directory() / place; std::filesystem::exists(path)) return path.lexically_normal();
  throw CapabilityError("molecular formats are not built here: tamiz-babel is missing; configure with -DTAMIZ_WITH_BABEL=ON and "
                        "libopenbabel-dev installed, or set TAMIZ_BABEL");
}

struct BabelClient::Impl {
  TemporaryFolder scratch{"tamiz-babel"};
  WorkerProcess process;

  Impl() : process(std::vector<std::string>{babel_program().string()}, scratch.path()) {}

  json ask(const json& request) {
    process.send(request.dump(-1, ' ', false, json::error_handler_t::replace));
    auto deadline = std::chrono::steady_clock::now() + k_timeout;
    while (true) {
      if (const auto line = process.next_line()) return checked(*line);
      if (std::chrono::steady_clock::now() > deadline) throw OracleError("tamiz-babel gave no answer in two minutes");
      const bool has_unsent = process.input() >= 0 && process.has_unsent();  // a pipe takes a large text in many parts
      std::array<pollfd, 2> waiting{pollfd{process.output(), POLLIN, 0}, pollfd{process.input(), POLLOUT, 0}};
      ::poll(waiting.data(), has_unsent ? 2 : 1, 200);
      if (has_unsent) deadline = std::chrono::steady_clock::now() + k_timeout;
      process.flush();
      if (!process.receive()) {
        if (const auto line = process.next_line()) return checked(*line);
        throw OracleError("tamiz-babel ended by " + process.end().how + ": " + process.stderr_tail());
      }
    }
  }

  static json checked(const std::string& line) {
    const json reply = json::parse(line, nullptr, false);
    if (!reply.is_object()) throw OracleError("tamiz-babel answered '" + line.substr(0, 80) + "', expected a JSON object");
    if (!reply.value("ok", false)) throw FormatError("open babel: " + reply.value("error", std::string("no reason given")));
    return reply;
  }
};

BabelClient::BabelClient() : impl_(std::make_unique<Impl>()) {}
BabelClient::~BabelClient() = default;

std::vector<Frame> BabelClient::read(const std::string& text, const std::string& format) {
  std::vector<Frame> frames;
  const json reply = impl_->ask({{"op", "read"}, {"format", format}, {"text", text}});
  try {
    for (const json& molecule : reply.at("molecules")) frames.push_back(frame_of(molecule));
  } catch (const json::exception& error) {
    throw OracleError(std::string("tamiz-babel answered something else than molecules: ") + error.what());
  }
  return frames;
}

std::string BabelClient::write(std::span<const Frame> molecules, const std::string& format) {
  json list = json::array();
  for (const Frame& frame : molecules) list.push_back(molecule_of(frame));
  return impl_->ask({{"op", "write"}, {"format", format}, {"molecules", list}}).value("text", std::string());
}

}  // namespace tamiz
