#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tamiz::importer {

/// A zip archive of stored (not compressed) entries, as PyTorch writes them, with or without zip64 fields. The bytes
/// are borrowed and must outlive it; every offset in them is checked before it is followed.
class ZipReader {
 public:
  /// Throws FormatError when the bytes are no zip archive, or its directory is damaged.
  explicit ZipReader(std::string_view bytes);

  /// In the order of their names.
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return entries_.contains(name); }
  /// The bytes of an entry. Throws FormatError for one that is not there, is compressed or encrypted, reaches out of
  /// the archive, or has another CRC-32 than its directory says.
  std::string_view read(const std::string& name) const;

 private:
  struct Entry {
    std::uint64_t offset, size, packed_size;
    std::uint32_t crc;
    std::uint16_t flags, method;
  };
  void read_directory(std::uint64_t offset, std::uint64_t size, std::uint64_t count);

  std::string_view bytes_;
  std::map<std::string, Entry> entries_;
};

/// CRC-32 of zip and gzip (polynomial 0xEDB88320).
std::uint32_t crc32(std::string_view bytes);

}  // namespace tamiz::importer
