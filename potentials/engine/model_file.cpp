#include "tamiz/potentials/engine/model_file.hpp"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"

namespace tamiz {
namespace {

using Json = nlohmann::json;

constexpr const char* k_format = "tamiz-model";
constexpr const char* k_version = "1";
constexpr std::size_t k_prefix = 8;
constexpr std::size_t k_largest_header = 64u << 20;
const std::string k_no_checksum(32, '0');

std::size_t item_size(const std::string& dtype) { return dtype == "float64" ? 8 : 4; }

/// Number of bytes that a shape asks for; checked against overflow.
std::size_t byte_count(const std::vector<std::int64_t>& shape, const std::string& dtype, const std::string& name) {
  std::size_t count = item_size(dtype);
  for (const std::int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && count > (std::size_t{1} << 40) / static_cast<std::size_t>(extent)))
      throw FormatError("tensor '" + name + "' has an impossible shape");
    count *= static_cast<std::size_t>(extent);
  }
  return count;
}

/// Hash of everything: the header with its own checksum blanked, then the tensors.
std::string checksum_of(const std::string& blank_header, std::string_view data) {
  std::string all = blank_header;
  all.append(data);
  return hash_hex(all);
}

std::string header_of(const ModelFile& model, const std::vector<const Tensor*>& tensors, const std::string& checksum) {
  Json json;
  json["__metadata__"] = {{"format", k_format},
                          {"format_version", k_version},
                          {"description", to_json(model.description)},
                          {"card", Json(model.card.entries).dump()},
                          {"checksum", checksum}};
  std::size_t offset = 0;
  for (const Tensor* tensor : tensors) {
    json[tensor->name] = {{"dtype", tensor->dtype == "float64" ? "F64" : "F32"},
                          {"shape", tensor->shape},
                          {"data_offsets", {offset, offset + tensor->bytes.size()}}};
    offset += tensor->bytes.size();
  }
  std::string text = json.dump();
  text.append((k_prefix - text.size() % k_prefix) % k_prefix, ' ');
  return text;
}

std::vector<const Tensor*> sorted_tensors(const ModelFile& model) {
  std::vector<const Tensor*> tensors;
  for (const Tensor& tensor : model.tensors) tensors.push_back(&tensor);
  std::sort(tensors.begin(), tensors.end(), [](const Tensor* a, const Tensor* b) { return a->name < b->name; });
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    const Tensor& tensor = *tensors[k];
    if (k > 0 && tensors[k - 1]->name == tensor.name) throw ShapeError("two tensors are named '" + tensor.name + "'");
    if (tensor.dtype != "float32" && tensor.dtype != "float64")
      throw ShapeError("tensor '" + tensor.name + "' has dtype " + tensor.dtype + ", expected float32 or float64");
    if (byte_count(tensor.shape, tensor.dtype, tensor.name) != tensor.bytes.size())
      throw ShapeError("tensor '" + tensor.name + "' has " + std::to_string(tensor.bytes.size()) +
                       " bytes, which its shape does not ask for");
  }
  return tensors;
}

Tensor tensor_of(const std::string& name, const Json& entry, std::string_view data, std::size_t& expected_offset) {
  Tensor tensor;
  tensor.name = name;
  const auto dtype = entry.at("dtype").get<std::string>();
  if (dtype != "F32" && dtype != "F64")
    throw FormatError("tensor '" + name + "' has dtype " + dtype + ", expected F32 or F64");
  tensor.dtype = dtype == "F64" ? "float64" : "float32";
  tensor.shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
  if (offsets.size() != 2 || offsets[0] != expected_offset || offsets[1] < offsets[0] || offsets[1] > data.size())
    throw FormatError("tensor '" + name + "' does not lie where the one before it ends");
  if (offsets[1] - offsets[0] != byte_count(tensor.shape, tensor.dtype, name))
    throw FormatError("tensor '" + name + "' has another size than its shape");
  tensor.bytes = std::string(data.substr(offsets[0], offsets[1] - offsets[0]));
  expected_offset = offsets[1];
  return tensor;
}

ModelFile parse(const std::string& bytes) {
  if (bytes.size() < k_prefix) throw FormatError("the file is too short to be a model");
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), k_prefix);
  if (size > k_largest_header || size > bytes.size() - k_prefix)
    throw FormatError("the header is said to have " + std::to_string(size) + " bytes, which the file does not hold: not "
                      "a model, or truncated");
  const std::string header = bytes.substr(k_prefix, size);
  const std::string_view data = std::string_view(bytes).substr(k_prefix + size);
  const Json json = Json::parse(header);
  const Json& metadata = json.at("__metadata__");
  if (metadata.value("format", "") != k_format) throw FormatError("this safetensors file is not a Tamiz model");
  if (const auto version = metadata.at("format_version").get<std::string>(); version != k_version)
    throw FormatError("model file of format version " + version + ", this program reads version " + k_version +
                      ": use the program that wrote it, or a newer one");
  const auto checksum = metadata.at("checksum").get<std::string>();
  const std::size_t place = header.find("\"checksum\":\"" + checksum + "\"");
  if (checksum.size() != k_no_checksum.size() || place == std::string::npos)
    throw FormatError("the checksum is not written as this format writes it");
  std::string blank = header;
  blank.replace(place + 12, k_no_checksum.size(), k_no_checksum);
  if (checksum_of(blank, data) != checksum)
    throw FormatError("the checksum differs: the file is truncated or was altered; fetch or train it again");

  ModelFile model;
  model.description = description_from_json(metadata.at("description").get<std::string>());
  model.card.entries = Json::parse(metadata.at("card").get<std::string>()).get<std::map<std::string, std::string>>();
  std::size_t offset = 0;
  for (const auto& [name, entry] : json.items())
    if (name != "__metadata__") model.tensors.push_back(tensor_of(name, entry, data, offset));
  if (offset != data.size()) throw FormatError("bytes follow after the last tensor");
  return model;
}

}  // namespace

ModelFile ModelFile::read(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  try {
    ModelFile model = parse(bytes);
    validate(model.description);
    return model;
  } catch (const Json::exception& error) {
    throw FormatError(path.string() + ": not a model file, or damaged: " + error.what());
  } catch (const Error& error) {
    throw FormatError(path.string() + ": " + error.what());
  }
}

void ModelFile::write(const std::filesystem::path& path) const {
  validate(description);
  const auto tensors = sorted_tensors(*this);
  std::string data;
  for (const Tensor* tensor : tensors) data += tensor->bytes;
  std::string header;
  try {
    header = header_of(*this, tensors, checksum_of(header_of(*this, tensors, k_no_checksum), data));
  } catch (const Json::exception&) {
    throw FormatError("the model's card holds a text that is not UTF-8");
  }
  const std::uint64_t size = header.size();
  std::string bytes(k_prefix, '\0');
  std::memcpy(bytes.data(), &size, k_prefix);
  write_file_atomically(path, bytes + header + data);
}

}  // namespace tamiz
