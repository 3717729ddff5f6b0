#include "tamiz/core/io/hdf5_calls.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <utility>

namespace tamiz::detail::hdf5 {
namespace {

static_assert(sizeof(hid_t) == sizeof(Id) && sizeof(hsize_t) == sizeof(std::uint64_t));

constexpr std::uint64_t k_chunk = 65536;  // bytes
constexpr unsigned k_effort = 6;          // of deflate, of 9
constexpr std::uint64_t k_best_ratio = 1100;  // deflate shortens to a 1032nd at best
constexpr std::size_t k_compact = 32768;  // bytes that HDF5 still keeps inside an object's header, which it checksums

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

/// Keeps the innermost message of the library's stack, where the true reason stands.
herr_t take_innermost(unsigned, const H5E_error2_t* error, void* text) {
  *static_cast<std::string*>(text) = error->desc == nullptr ? "" : error->desc;
  return 0;
}

const hsize_t* dimensions(const Shape& shape) { return reinterpret_cast<const hsize_t*>(shape.data()); }

std::uint64_t product(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

/// Creation properties without times, so that the same content has the same bytes.
Handle dataset_properties(std::size_t bytes) {
  Handle properties(H5Pcreate(H5P_DATASET_CREATE), "make properties");
  check(H5Pset_obj_track_times(properties.get(), 0), "leave out times");
  if (bytes > 0 && bytes <= k_compact) check(H5Pset_layout(properties.get(), H5D_COMPACT), "choose a layout");
  return properties;
}

void compress(const Handle& properties, const Shape& shape, std::size_t bytes) {
  Shape chunk = shape;
  chunk[0] = std::clamp<std::uint64_t>(k_chunk * shape[0] / bytes, 1, shape[0]);
  check(H5Pset_layout(properties.get(), H5D_CHUNKED), "choose a layout");
  check(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), dimensions(chunk)), "choose chunks");
  check(H5Pset_shuffle(properties.get()), "choose a filter");
  check(H5Pset_deflate(properties.get(), k_effort), "choose a filter");
}

void write_dataset(Id parent, const std::string& name, Id file_type, Id memory_type, const void* values, const Shape& shape,
                   Storage storage = Storage::plain) {
  const std::size_t bytes = product(shape) * H5Tget_size(memory_type);
  const Handle space(H5Screate_simple(static_cast<int>(shape.size()), dimensions(shape), nullptr), "make a data space");
  const Handle properties = dataset_properties(bytes);
  if (storage == Storage::compressed && bytes > 0) compress(properties, shape, bytes);
  const Handle dataset(H5Dcreate2(parent, name.c_str(), file_type, space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT), "make a data set");
  if (bytes > 0) check(H5Dwrite(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "write a data set");
}

struct OpenDataset {
  Handle dataset, type;
  Shape shape;
};

/// What is not stored must not reserve memory, and only the filters that we use are trusted.
void check_storage(const OpenDataset& opened, const std::string& name) {
  const std::uint64_t bytes = product(opened.shape) * H5Tget_size(opened.type.get());
  const std::uint64_t stored = H5Dget_storage_size(opened.dataset.get());
  const Handle properties(H5Dget_create_plist(opened.dataset.get()), "read properties");
  const int n_filters = H5Pget_nfilters(properties.get());
  check(n_filters, "count filters");
  for (int k = 0; k < n_filters; ++k) {
    unsigned flags = 0, configuration = 0;
    std::size_t n_values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties.get(), static_cast<unsigned>(k), &flags, &n_values, nullptr, 0, nullptr, &configuration);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE) throw Failure(name + " is stored through an unknown filter");
  }
  if (n_filters == 0 ? stored != bytes : bytes / k_best_ratio > stored) throw Failure(name + " is not stored whole");
}

OpenDataset open_dataset(Id parent, const std::string& name, std::size_t rank, H5T_class_t expected) {
  OpenDataset opened{Handle(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), "open a data set"), {}, Shape(rank)};
  opened.type = Handle(H5Dget_type(opened.dataset.get()), "read a type");
  const Handle space(H5Dget_space(opened.dataset.get()), "read a data space");
  if (H5Tget_class(opened.type.get()) != expected || H5Sget_simple_extent_ndims(space.get()) != static_cast<int>(rank))
    throw Failure(name + " has another type or shape than an archive writes");
  check(H5Sget_simple_extent_dims(space.get(), reinterpret_cast<hsize_t*>(opened.shape.data()), nullptr), "read a shape");
  check_storage(opened, name);
  return opened;
}

/// Integers in one dimension.
template <typename Integer>
std::vector<Integer> read_row(Id parent, const std::string& name, Id memory_type) {
  const OpenDataset opened = open_dataset(parent, name, 1, H5T_INTEGER);
  std::vector<Integer> values(opened.shape[0]);
  if (!values.empty()) check(H5Dread(opened.dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "read a data set");
  return values;
}

Handle text_type(std::size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), "make a type");
  check(H5Tset_size(type.get(), std::max<std::size_t>(length, 1)), "make a type");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "make a type");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "make a type");
  return type;
}

std::string without_padding(const char* text, std::size_t length) {
  while (length > 0 && text[length - 1] == '\0') --length;
  return {text, length};
}

}  // namespace

Session::Session() : lock_(library_mutex()) {
  // Once it has met a damaged object, the library complains when it closes itself at the end of the program. Nothing is
  // left for it to do there: every file is closed by its owner.
  static const herr_t left_open = H5dont_atexit();
  static_cast<void>(left_open);
  H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}
Session::~Session() { H5Eset_auto2(H5E_DEFAULT, print_, print_data_); }

void check(std::int64_t status, const char* what) {
  if (status >= 0) return;
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, take_innermost, &reason);
  H5Eclear2(H5E_DEFAULT);
  throw Failure(std::string("cannot ") + what + (reason.empty() ? "" : ": " + reason));
}

Handle::Handle(Id id, const char* what) : id_(id) { check(id, what); }
Handle::~Handle() {
  if (id_ >= 0) H5Idec_ref(id_);
}
Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  return *this;
}

Handle make_unnamed_group(Id file) {
  Handle properties(H5Pcreate(H5P_GROUP_CREATE), "make properties");
  check(H5Pset_obj_track_times(properties.get(), 0), "leave out times");
  Handle group(H5Gcreate_anon(file, properties.get(), H5P_DEFAULT), "make a group");
  check(H5Oincr_refcount(group.get()), "keep a group");  // else it is removed when closed
  return group;
}

Handle make_group(Id parent, const std::string& name) {
  Handle properties(H5Pcreate(H5P_GROUP_CREATE), "make properties");
  check(H5Pset_obj_track_times(properties.get(), 0), "leave out times");
  return Handle(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT), "make a group");
}

Handle open_group(Id parent, const std::string& name) {
  return Handle(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), "open a group");
}

bool has_link(Id parent, const std::string& name) {
  const htri_t found = H5Lexists(parent, name.c_str(), H5P_DEFAULT);
  check(found, "look for a link");
  return found > 0;
}

std::vector<std::string> link_names(Id group) {
  H5G_info_t info;
  check(H5Gget_info(group, &info), "list a group");
  std::vector<std::string> names;
  for (hsize_t k = 0; k < info.nlinks; ++k) {
    const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, k, nullptr, 0, H5P_DEFAULT);
    check(length, "list a group");
    std::string name(static_cast<std::size_t>(length), '\0');
    check(H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, k, name.data(), name.size() + 1, H5P_DEFAULT), "list a group");
    names.push_back(std::move(name));
  }
  return names;
}

bool is_group(Id parent, const std::string& name) {
  const Handle object(H5Oopen(parent, name.c_str(), H5P_DEFAULT), "open an object");
  return H5Iget_type(object.get()) == H5I_GROUP;
}

void sync(Id file) {
  check(H5Fflush(file, H5F_SCOPE_LOCAL), "flush");
  void* descriptor = nullptr;
  check(H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor), "find the file's descriptor");
  if (::fsync(*static_cast<int*>(descriptor)) != 0) throw Failure(std::string("cannot sync: ") + std::strerror(errno));
}

void write_doubles(Id parent, const std::string& name, const double* values, const Shape& shape, Storage storage) {
  write_dataset(parent, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values, shape, storage);
}

std::vector<double> read_doubles(Id parent, const std::string& name, std::size_t rank, Shape& shape) {
  const OpenDataset opened = open_dataset(parent, name, rank, H5T_FLOAT);
  shape = opened.shape;
  std::vector<double> values(product(shape));
  if (!values.empty()) check(H5Dread(opened.dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "read a data set");
  return values;
}

void write_integers(Id parent, const std::string& name, std::span<const std::int32_t> values, Storage storage) {
  write_dataset(parent, name, H5T_STD_I32LE, H5T_NATIVE_INT32, values.data(), {values.size()}, storage);
}

std::vector<std::int32_t> read_integers(Id parent, const std::string& name) {
  return read_row<std::int32_t>(parent, name, H5T_NATIVE_INT32);
}

void write_bytes(Id parent, const std::string& name, std::span<const std::uint8_t> values, Storage storage) {
  write_dataset(parent, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, values.data(), {values.size()}, storage);
}

std::vector<std::uint8_t> read_bytes(Id parent, const std::string& name) {
  return read_row<std::uint8_t>(parent, name, H5T_NATIVE_UINT8);
}

void write_texts(Id parent, const std::string& name, const std::vector<std::string>& texts, Storage storage) {
  std::size_t length = 1;
  for (const std::string& text : texts) length = std::max(length, text.size());
  std::string padded;
  for (const std::string& text : texts) padded += text + std::string(length - text.size(), '\0');
  const Handle type = text_type(length);
  write_dataset(parent, name, type.get(), type.get(), padded.data(), {texts.size()}, storage);
}

std::vector<std::string> read_texts(Id parent, const std::string& name) {
  const OpenDataset opened = open_dataset(parent, name, 1, H5T_STRING);
  const std::size_t length = H5Tget_size(opened.type.get());
  std::string padded(opened.shape[0] * length, '\0');
  if (!padded.empty()) check(H5Dread(opened.dataset.get(), opened.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()), "read a data set");
  std::vector<std::string> texts;
  for (const char* at = padded.data(); texts.size() < opened.shape[0]; at += length) texts.push_back(without_padding(at, length));
  return texts;
}

void write_pairs(Id parent, const std::string& name, const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t length = 1;
  for (const auto& [key, value] : pairs) length = std::max({length, key.size(), value.size()});
  std::string padded;
  for (const auto& [key, value] : pairs)
    for (const std::string& text : {key, value}) padded += text + std::string(length - text.size(), '\0');
  const Handle type = text_type(length);
  write_dataset(parent, name, type.get(), type.get(), padded.data(), {pairs.size(), 2});
}

std::vector<std::pair<std::string, std::string>> read_pairs(Id parent, const std::string& name) {
  const OpenDataset opened = open_dataset(parent, name, 2, H5T_STRING);
  if (opened.shape[1] != 2) throw Failure(name + " has another shape than an archive writes");
  const std::size_t length = H5Tget_size(opened.type.get());
  std::string padded(2 * opened.shape[0] * length, '\0');
  if (!padded.empty()) check(H5Dread(opened.dataset.get(), opened.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()), "read a data set");
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const char* at = padded.data(); pairs.size() < opened.shape[0]; at += 2 * length)
    pairs.emplace_back(without_padding(at, length), without_padding(at + length, length));
  return pairs;
}

namespace {

void write_attribute_of(Id object, const std::string& name, Id file_type, Id memory_type, const void* values, std::uint64_t n) {
  const Handle space(n == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, reinterpret_cast<const hsize_t*>(&n), nullptr), "make a data space");
  const Handle attribute(H5Acreate2(object, name.c_str(), file_type, space.get(), H5P_DEFAULT, H5P_DEFAULT), "make an attribute");
  check(H5Awrite(attribute.get(), memory_type, values), "write an attribute");
}

struct OpenAttribute {
  Handle attribute, type;
  std::size_t n = 1;
};

OpenAttribute open_attribute(Id object, const std::string& name, H5T_class_t expected) {
  OpenAttribute opened{Handle(H5Aopen(object, name.c_str(), H5P_DEFAULT), "open an attribute"), {}, 1};
  opened.type = Handle(H5Aget_type(opened.attribute.get()), "read a type");
  const Handle space(H5Aget_space(opened.attribute.get()), "read a data space");
  opened.n = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get()));
  // The largest attribute is a cell of nine numbers.
  if (H5Tget_class(opened.type.get()) != expected || H5Tis_variable_str(opened.type.get()) > 0 || opened.n > 64)
    throw Failure(name + " has another type or shape than an archive writes");
  return opened;
}

}  // namespace

void write_attribute(Id object, const std::string& name, std::span<const double> values) {
  write_attribute_of(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), values.size());
}

std::vector<double> read_attribute(Id object, const std::string& name) {
  const OpenAttribute opened = open_attribute(object, name, H5T_FLOAT);
  std::vector<double> values(opened.n);
  check(H5Aread(opened.attribute.get(), H5T_NATIVE_DOUBLE, values.data()), "read an attribute");
  return values;
}

void write_attribute(Id object, const std::string& name, std::int64_t value) {
  write_attribute_of(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, 0);
}

std::int64_t read_integer_attribute(Id object, const std::string& name) {
  const OpenAttribute opened = open_attribute(object, name, H5T_INTEGER);
  if (opened.n != 1) throw Failure(name + " is not one number");
  std::int64_t value = 0;
  check(H5Aread(opened.attribute.get(), H5T_NATIVE_INT64, &value), "read an attribute");
  return value;
}

void write_attribute(Id object, const std::string& name, std::string_view text) {
  const Handle type = text_type(text.size());
  write_attribute_of(object, name, type.get(), type.get(), text.empty() ? "" : text.data(), 0);
}

std::string read_text_attribute(Id object, const std::string& name) {
  const OpenAttribute opened = open_attribute(object, name, H5T_STRING);
  if (opened.n != 1) throw Failure(name + " is not one text");
  std::string text(H5Tget_size(opened.type.get()), '\0');
  check(H5Aread(opened.attribute.get(), opened.type.get(), text.data()), "read an attribute");
  return without_padding(text.data(), text.size());
}

bool has_attribute(Id object, const std::string& name) {
  const htri_t found = H5Aexists(object, name.c_str());
  check(found, "look for an attribute");
  return found > 0;
}

}  // namespace tamiz::detail::hdf5
