// tamiz-babel: Open Babel behind a pipe. It links Open Babel and is therefore distributed under GPL-2.0; Tamiz itself
// talks to it over standard input and output and links nothing of it. One JSON object per line, each answered by one:
//   {"op":"formats"}                                  {"ok":true,"read":[{"name","description"}],"write":[...]}
//   {"op":"read","format":"smi","text":"CCO"}         {"ok":true,"molecules":[{"symbols","positions","charge","title"}]}
//   {"op":"write","format":"sdf","molecules":[...]}   {"ok":true,"text":"..."}
//   anything that fails                               {"ok":false,"error":"..."}

#include <openbabel/oberror.h>

#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "molecules.hpp"

namespace {

using nlohmann::json;

json answer(const json& request) {
  const std::string op = request.at("op");
  if (op == "formats") {
    json value = tamiz_babel::formats();
    value["ok"] = true;
    return value;
  }
  if (op == "read") return {{"ok", true}, {"molecules", tamiz_babel::read(request.at("text"), request.at("format"))}};
  if (op == "write") return {{"ok", true}, {"text", tamiz_babel::write(request.at("molecules"), request.at("format"))}};
  throw std::runtime_error("unknown operation " + op);
}

}  // namespace

int main() {
  // Its messages come back as errors, never on the pipe or the terminal.
  std::ostream nowhere(nullptr);
  OpenBabel::obErrorLog.SetOutputStream(&nowhere);
  for (std::string line; std::getline(std::cin, line);) {
    json reply;
    try {
      reply = answer(json::parse(line));
    } catch (const std::exception& error) {
      reply = {{"ok", false}, {"error", error.what()}};
    }
    std::cout << reply.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  }
}
