#include "tamiz/potentials/engine/import/mace_heads.hpp"

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz::importer {
namespace {

constexpr std::size_t k_most_heads = 1024;

}  // namespace

Heads choose_head(const Record& model, const std::string& wanted) {
  Heads heads;
  if (const auto list = model.find("heads"))
    for (const Record& name : list->items()) heads.names.push_back(name.text());
  if (heads.names.empty()) heads.names = {"Default"};  // models older than heads
  if (heads.size() > k_most_heads) model.at("heads").fail("has " + std::to_string(heads.size()) + " entries");
  const auto chosen = std::find_if(heads.names.begin(), heads.names.end(), [&](const std::string& name) {
    return wanted.empty() ? heads.size() == 1 || lower(name) == "default" : name == wanted;
  });
  if (chosen == heads.names.end()) {
    if (wanted.empty()) throw CapabilityError("the model has the heads " + joined(heads.names) + ": choose one");
    const std::string nearest = nearest_name(wanted, heads.names);
    throw CapabilityError("the model has no head '" + wanted + "', expected one of " + joined(heads.names) +
                          (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }
  heads.chosen = static_cast<std::size_t>(chosen - heads.names.begin());
  return heads;
}

}  // namespace tamiz::importer
