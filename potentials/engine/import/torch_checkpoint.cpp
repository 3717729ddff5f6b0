#include "tamiz/potentials/engine/import/torch_checkpoint.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "tamiz/core/base/error.hpp"

namespace tamiz::importer {
namespace {

constexpr std::size_t k_most_dimensions = 16;

/// The folder within the archive that holds everything, with its slash.
std::string folder_of(const ZipReader& zip) {
  std::string folder;
  for (const std::string& name : zip.names()) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) continue;
    if (name.substr(slash) == "/constants.pkl")
      throw FormatError(
          "this is TorchScript (a compiled model), which holds programs: import the '.model' file it was compiled "
          "from");
    if (name.substr(slash) == "/data.pkl") folder = name.substr(0, slash + 1);
  }
  if (folder.empty()) throw FormatError("the zip archive holds no 'data.pkl', so that it is not a file of torch.save");
  if (zip.contains(folder + "byteorder") && zip.read(folder + "byteorder") != "little")
    throw FormatError("the file was written on a big-endian machine, expected little-endian numbers");
  return folder;
}

struct StorageType {
  const char* name;
  const char* dtype;
  std::size_t size;
};
constexpr std::array<StorageType, 5> k_storage_types{{{"torch.DoubleStorage", "float64", 8},
                                                      {"torch.FloatStorage", "float32", 4},
                                                      {"torch.LongStorage", "int64", 8},
                                                      {"torch.IntStorage", "int32", 4},
                                                      {"torch.BoolStorage", "bool", 1}}};

const StorageType& storage_type(const Record& record) {
  for (const StorageType& type : k_storage_types)
    if (record.type() == type.name) return type;
  record.fail("has the storage type '" + record.type() + "', expected float64, float32, int64, int32 or bool");
}

template <typename Number>
double number_at(const char* bytes) {
  Number value;
  std::memcpy(&value, bytes, sizeof(Number));
  return static_cast<double>(value);
}

double value_at(const StorageType& type, const char* bytes) {
  if (type.dtype == std::string_view("float64")) return number_at<double>(bytes);
  if (type.dtype == std::string_view("float32")) return number_at<float>(bytes);
  if (type.dtype == std::string_view("int64")) return number_at<std::int64_t>(bytes);
  if (type.dtype == std::string_view("int32")) return number_at<std::int32_t>(bytes);
  return number_at<unsigned char>(bytes);
}

std::vector<std::int64_t> integers_of(const Record& record) {
  std::vector<std::int64_t> values;
  for (const Record& item : record.items()) values.push_back(item.integer());
  return values;
}

/// Where a tensor lies in its storage, in elements.
struct View {
  std::int64_t offset;
  std::vector<std::int64_t> shape, strides;
};

/// Along an axis with one place the stride says nothing and may be any number.
View view_of(const Record& offset, const Record& shape, const Record& strides) {
  View view{offset.integer(), integers_of(shape), integers_of(strides)};
  for (std::size_t k = 0; k < std::min(view.shape.size(), view.strides.size()); ++k)
    if (view.shape[k] == 1) view.strides[k] = 0;
  return view;
}

/// Number of elements; the last of them lies within `capacity`.
std::int64_t checked_count(const View& view, std::int64_t capacity, const Record& record) {
  if (view.shape.size() != view.strides.size() || view.shape.size() > k_most_dimensions || view.offset < 0 ||
      view.offset > capacity)
    record.fail("has an impossible shape");
  std::int64_t count = 1, last = view.offset;
  for (std::size_t k = 0; k < view.shape.size(); ++k) {
    const std::int64_t extent = view.shape[k], stride = view.strides[k];
    if (extent < 0 || stride < 0) record.fail("has an impossible shape");
    if (extent == 0) return 0;
    // A tensor that repeats its values (stride 0) could ask for any amount of memory; torch.save writes none by itself.
    if (extent > capacity / count || (extent > 1 && stride > (capacity - last) / (extent - 1)))
      record.fail("is larger than what the file holds of it");
    count *= extent;
    last += (extent - 1) * stride;
  }
  if (last >= capacity) record.fail("is larger than what the file holds of it");
  return count;
}

/// The place behind `index` in row-major order, and what it adds to the offset.
std::int64_t advance(const View& view, std::vector<std::int64_t>& index, std::int64_t offset) {
  for (std::size_t k = view.shape.size(); k-- > 0;) {
    offset += view.strides[k];
    if (++index[k] < view.shape[k]) return offset;
    offset -= view.strides[k] * view.shape[k];
    index[k] = 0;
  }
  return offset;
}

/// A parameter wraps a tensor.
Record unwrapped(const Record& record) {
  if (record.type() != "torch._utils._rebuild_parameter") return record;
  const auto arguments = record.arguments();
  if (arguments.empty()) record.fail("is a parameter without a tensor");
  return arguments[0];
}

}  // namespace

TorchCheckpoint::TorchCheckpoint(std::string_view bytes)
    : zip_(bytes), folder_(folder_of(zip_)), pickle_(zip_.read(folder_ + "data.pkl")) {}

bool TorchCheckpoint::is_tensor(const Record& record) {
  return record.type() == "torch._utils._rebuild_parameter" || record.type() == "torch._utils._rebuild_tensor_v2";
}

StoredTensor TorchCheckpoint::tensor(const Record& outer) const {
  const Record record = unwrapped(outer);
  if (record.type() != "torch._utils._rebuild_tensor_v2") outer.fail("is not a tensor");
  const auto arguments = record.arguments();
  if (arguments.size() < 4) outer.fail("is a damaged tensor");
  const auto storage = arguments[0].persistent_id().items();
  if (storage.size() != 5 || storage[0].text() != "storage") outer.fail("has no storage");
  const StorageType& type = storage_type(storage[1]);
  const std::string_view bytes = zip_.read(folder_ + "data/" + storage[2].text());
  const View view = view_of(arguments[1], arguments[2], arguments[3]);

  StoredTensor tensor{view.shape, type.dtype, {}};
  const std::int64_t count = checked_count(view, static_cast<std::int64_t>(bytes.size() / type.size), outer);
  tensor.values.reserve(static_cast<std::size_t>(count));
  std::vector<std::int64_t> index(view.shape.size(), 0);
  std::int64_t offset = view.offset;
  for (std::int64_t n = 0; n < count; ++n) {
    tensor.values.push_back(value_at(type, bytes.data() + static_cast<std::size_t>(offset) * type.size));
    offset = advance(view, index, offset);
  }
  return tensor;
}

}  // namespace tamiz::importer
