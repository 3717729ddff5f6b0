#include "tamiz/screening/precursors/molecular_formats.hpp"

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/screening/precursors/babel_client.hpp"

namespace tamiz {
namespace {

void add(const std::string& name, const std::string& babel_name, std::vector<std::string> extensions, bool many) {
  register_format({.name = name,
                   .extensions = std::move(extensions),
                   .file_names = {},
                   .many_frames = many,
                   .labels = false,
                   .read = [babel_name](const std::filesystem::path& path) {
                     try {
                       return BabelClient().read(read_file(path), babel_name);
                     } catch (const FormatError& error) {
                       throw FormatError(path.string() + ": " + error.what());
                     }
                   },
                   .write = [babel_name](const std::filesystem::path& path, std::span<const Frame> frames) {
                     write_file_atomically(path, BabelClient().write(frames, babel_name));
                   }});
}

}  // namespace

void register_molecular_formats() {
  add("smiles", "smi", {".smi", ".smiles"}, true);
  add("sdf", "sdf", {".sdf", ".sd"}, true);
  add("mol", "mol", {".mol", ".mdl"}, false);
  add("mol2", "mol2", {".mol2"}, true);
  add("pdb", "pdb", {".pdb", ".ent"}, true);
  add("cml", "cml", {".cml"}, true);
}

}  // namespace tamiz
