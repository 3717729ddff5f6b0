#include "tamiz/potentials/engine/import/zip_reader.hpp"

#include <algorithm>
#include <array>

#include "tamiz/core/base/error.hpp"

namespace tamiz::importer {
namespace {

// Signatures and sizes of records: APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16.
constexpr std::uint32_t k_local = 0x04034b50, k_central = 0x02014b50, k_end = 0x06054b50, k_end64 = 0x06064b50,
                        k_locator64 = 0x07064b50;
constexpr std::size_t k_local_size = 30, k_central_size = 46, k_end_size = 22, k_end64_size = 56, k_locator64_size = 20;
constexpr std::size_t k_longest_comment = 65535;
constexpr std::uint32_t k_in_zip64 = 0xffffffff;
constexpr std::uint64_t k_most_entries = 1u << 20;
constexpr std::uint16_t k_zip64_field = 1;

/// `size` bytes at `offset`, which must lie within `bytes`.
std::string_view piece(std::string_view bytes, std::uint64_t offset, std::uint64_t size, const char* what) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    throw FormatError(std::string("the zip archive is truncated or damaged: its ") + what +
                      " reaches beyond the end of the file");
  return bytes.substr(offset, size);
}

template <typename Number>
Number little_endian(std::string_view bytes, std::size_t offset) {
  Number value = 0;
  for (std::size_t k = sizeof(Number); k-- > 0;)
    value = static_cast<Number>(value << 8 | static_cast<unsigned char>(bytes[offset + k]));
  return value;
}
std::uint16_t u16(std::string_view b, std::size_t k) { return little_endian<std::uint16_t>(b, k); }
std::uint32_t u32(std::string_view b, std::size_t k) { return little_endian<std::uint32_t>(b, k); }
std::uint64_t u64(std::string_view b, std::size_t k) { return little_endian<std::uint64_t>(b, k); }

/// Place of the end record, which a comment of any length may follow.
std::size_t find_end(std::string_view bytes) {
  if (bytes.size() >= k_end_size) {
    const std::size_t last = bytes.size() - k_end_size;
    const std::size_t stop = last > k_longest_comment ? last - k_longest_comment : 0;
    for (std::size_t at = last + 1; at-- > stop;)
      if (u32(bytes, at) == k_end && u16(bytes, at + 20) == bytes.size() - at - k_end_size) return at;
  }
  throw FormatError("not a zip archive, or truncated: it has no directory at its end");
}

/// Takes the values of the zip64 field for those of `values` that the record leaves to it, in their order.
void apply_zip64(std::string_view extra, const std::array<std::uint64_t*, 3>& values) {
  while (extra.size() >= 4) {
    const std::uint16_t tag = u16(extra, 0), size = u16(extra, 2);
    std::string_view field = piece(extra, 4, size, "extra field");
    extra.remove_prefix(4u + size);
    if (tag != k_zip64_field) continue;
    for (std::uint64_t* value : values) {
      if (*value != k_in_zip64) continue;
      *value = u64(piece(field, 0, 8, "zip64 field"), 0);
      field.remove_prefix(8);
    }
    return;
  }
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> values{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      values[n] = n;
      for (int bit = 0; bit < 8; ++bit)
        values[n] = (values[n] & 1u) != 0 ? 0xedb88320u ^ (values[n] >> 1) : values[n] >> 1;
    }
    return values;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xffu] ^ (crc >> 8);
  return ~crc;
}

ZipReader::ZipReader(std::string_view bytes) : bytes_(bytes) {
  const std::size_t end = find_end(bytes);
  std::uint64_t count = u16(bytes, end + 10), size = u32(bytes, end + 12), offset = u32(bytes, end + 16);
  if (end >= k_locator64_size && u32(bytes, end - k_locator64_size) == k_locator64) {
    const std::string_view end64 =
        piece(bytes, u64(bytes, end - k_locator64_size + 8), k_end64_size, "zip64 end record");
    if (u32(end64, 0) != k_end64)
      throw FormatError("the zip archive is damaged: its zip64 end record is not where it should be");
    count = u64(end64, 32);
    size = u64(end64, 40);
    offset = u64(end64, 48);
  }
  read_directory(offset, size, count);
}

void ZipReader::read_directory(std::uint64_t offset, std::uint64_t size, std::uint64_t count) {
  std::string_view rest = piece(bytes_, offset, size, "directory");
  if (count > k_most_entries)
    throw FormatError("the zip archive is said to have " + std::to_string(count) + " entries, expected at most " +
                      std::to_string(k_most_entries));
  for (std::uint64_t k = 0; k < count; ++k) {
    const std::string_view head = piece(rest, 0, k_central_size, "directory");
    if (u32(head, 0) != k_central)
      throw FormatError("the zip archive is damaged: entry " + std::to_string(k) +
                        " of its directory has no signature");
    const std::uint64_t name_size = u16(head, 28), extra_size = u16(head, 30), comment_size = u16(head, 32);
    const std::string_view tail = piece(rest, k_central_size, name_size + extra_size + comment_size, "directory");
    Entry entry{.offset = u32(head, 42),
                .size = u32(head, 24),
                .packed_size = u32(head, 20),
                .crc = u32(head, 16),
                .flags = u16(head, 8),
                .method = u16(head, 10)};
    apply_zip64(tail.substr(name_size, extra_size), {&entry.size, &entry.packed_size, &entry.offset});
    const std::string name(tail.substr(0, name_size));
    if (!entries_.emplace(name, entry).second)
      throw FormatError("the zip archive has two entries named '" + name + "'");
    rest.remove_prefix(k_central_size + tail.size());
  }
}

std::vector<std::string> ZipReader::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::string_view ZipReader::read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw FormatError("the zip archive has no entry '" + name + "'");
  const Entry& entry = found->second;
  if (entry.method != 0 || entry.size != entry.packed_size)
    throw FormatError("entry '" + name + "' is compressed, expected a stored one, as PyTorch writes them");
  if ((entry.flags & 1u) != 0) throw FormatError("entry '" + name + "' is encrypted");
  const std::string_view local = piece(bytes_, entry.offset, k_local_size, "entry");
  if (u32(local, 0) != k_local) throw FormatError("entry '" + name + "' does not begin where the directory says");
  const std::uint64_t head = k_local_size + std::uint64_t{u16(local, 26)} + u16(local, 28);
  const std::string_view content = piece(bytes_.substr(entry.offset), head, entry.size, "entry");
  if (crc32(content) != entry.crc)
    throw FormatError(
        "entry '" + name +
        "' has another checksum than the directory says: the file is damaged or was altered; fetch it again");
  return content;
}

}  // namespace tamiz::importer
