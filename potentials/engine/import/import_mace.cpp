#include "tamiz/potentials/engine/import/import_mace.hpp"

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/potentials/engine/import/mace_description.hpp"
#include "tamiz/potentials/engine/import/mace_weights.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"

namespace tamiz {
namespace {

using namespace importer;

/// The model itself: mace-torch saves it alone; its training checkpoints hold a dictionary of numbers instead.
Record model_of(const TorchCheckpoint& file) {
  const Record root = file.root();
  const std::string type = root.type();
  if (type == "mace.modules.models.MACE" || type == "mace.modules.models.ScaleShiftMACE") return root;
  if (root.kind() == PickleNode::Kind::dict || type == "collections.OrderedDict")
    throw FormatError(
        "the file holds a dictionary (a training checkpoint or the weights alone), expected a model: save it with "
        "torch.save(model, path)");
  if (root.kind() != PickleNode::Kind::object) throw FormatError("the file holds no model");
  throw CapabilityError("the file holds a '" + type + "', expected mace.modules.models.MACE or ScaleShiftMACE");
}

}  // namespace

ModelFile parse_mace(std::string_view bytes, const std::string& name, const ImportOptions& options) {
  const TorchCheckpoint file(bytes);
  const Record model = model_of(file);
  const Heads heads = choose_head(model, options.head);
  ModelFile result;
  result.description = read_description(file, model, heads);
  const std::string dtype = file.tensor(model.at("node_embedding").at("linear").at("weight")).dtype;
  result.tensors = tensors_of(result.description, read_weights(file, model, result.description, heads), dtype);
  result.card.entries = {{"name", name},
                         {"created_by", "imported from mace-torch (" + model.type_name() + ")"},
                         {"source_hash", hash_hex(bytes)},
                         {"head", heads.name()},
                         {"heads", joined(heads.names)}};
  for (const auto& [key, value] : options.card) result.card.entries[key] = value;
  return result;
}

ModelFile import_mace(const std::filesystem::path& path, const ImportOptions& options) {
  const std::string bytes = read_file(path);
  try {
    return parse_mace(bytes, path.stem().string(), options);
  } catch (const CapabilityError& error) {
    throw CapabilityError(path.string() + ": " + error.what());
  } catch (const Error& error) {
    throw FormatError(path.string() + ": " + error.what());
  }
}

}  // namespace tamiz
