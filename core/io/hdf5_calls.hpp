#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The few HDF5 calls that archives and data sets need, with errors as exceptions and without HDF5's header.
namespace tamiz::detail::hdf5 {

using Id = std::int64_t;  ///< HDF5's hid_t
using Shape = std::vector<std::uint64_t>;

/// A call failed; the message is what the library said, innermost reason first.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The library has one state for the whole process and is not built for threads: nothing may be called, and no
/// handle may end, unless one of these lives. It prints nothing while one does.
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  std::lock_guard<std::recursive_mutex> lock_;
  void* print_data_ = nullptr;
  int (*print_)(Id, void*) = nullptr;
};

/// An identifier that is given back at the end.
class Handle {
 public:
  Handle() = default;
  /// Throws Failure when `id` is negative, which is how the library says that `what` failed.
  Handle(Id id, const char* what);
  ~Handle();
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  Id get() const { return id_; }

 private:
  Id id_ = -1;
};

/// Throws Failure when `status` is negative.
void check(std::int64_t status, const char* what);

/// A group that no name leads to; it stays in the file as long as a reference does.
Handle make_unnamed_group(Id file);
Handle make_group(Id parent, const std::string& name);
Handle open_group(Id parent, const std::string& name);
bool has_link(Id parent, const std::string& name);
std::vector<std::string> link_names(Id group);
bool is_group(Id parent, const std::string& name);
/// Writes all that was written so far to the disk.
void sync(Id file);

/// Data as they are, or in chunks of rows that are shuffled and deflated. What is read may be either.
enum class Storage { plain, compressed };

void write_doubles(Id parent, const std::string& name, const double* values, const Shape& shape,
                   Storage storage = Storage::plain);
/// Row-major. Throws Failure where the data are not doubles of `rank` dimensions.
std::vector<double> read_doubles(Id parent, const std::string& name, std::size_t rank, Shape& shape);
void write_integers(Id parent, const std::string& name, std::span<const std::int32_t> values, Storage storage = Storage::plain);
std::vector<std::int32_t> read_integers(Id parent, const std::string& name);
void write_bytes(Id parent, const std::string& name, std::span<const std::uint8_t> values, Storage storage = Storage::plain);
std::vector<std::uint8_t> read_bytes(Id parent, const std::string& name);
/// Padded with zeros to the length of the longest.
void write_texts(Id parent, const std::string& name, const std::vector<std::string>& texts, Storage storage = Storage::plain);
std::vector<std::string> read_texts(Id parent, const std::string& name);
/// Texts of rows of two, padded with zeros to the length of the longest.
void write_pairs(Id parent, const std::string& name, const std::vector<std::pair<std::string, std::string>>& pairs);
std::vector<std::pair<std::string, std::string>> read_pairs(Id parent, const std::string& name);

void write_attribute(Id object, const std::string& name, std::span<const double> values);
std::vector<double> read_attribute(Id object, const std::string& name);
void write_attribute(Id object, const std::string& name, std::int64_t value);
std::int64_t read_integer_attribute(Id object, const std::string& name);
void write_attribute(Id object, const std::string& name, std::string_view text);
std::string read_text_attribute(Id object, const std::string& name);
bool has_attribute(Id object, const std::string& name);

}  // namespace tamiz::detail::hdf5
