#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tamiz/potentials/engine/import/zip_reader.hpp"

namespace tamiz::test_support {

/// A zip archive of stored entries. `method` other than 0 only says that they are compressed.
inline std::string zip_archive(const std::map<std::string, std::string>& entries, std::uint16_t method = 0) {
  const auto little = [](std::uint64_t value, int size) {
    std::string bytes;
    for (int k = 0; k < size; ++k) bytes.push_back(static_cast<char>(value >> (8 * k)));
    return bytes;
  };
  std::string archive, directory;
  for (const auto& [name, content] : entries) {
    // Version, flags, method, time, date, CRC-32, both sizes, length of the name, no extra field.
    const std::string common = little(20, 2) + little(0, 2) + little(method, 2) + little(0, 4) +
                               little(importer::crc32(content), 4) + little(content.size(), 4) +
                               little(content.size(), 4) + little(name.size(), 2) + little(0, 2);
    directory += "PK\x01\x02" + little(20, 2) + common + little(0, 8) + little(0, 2) + little(archive.size(), 4) + name;
    archive += "PK\x03\x04" + common + name + content;
  }
  return archive + directory + "PK\x05\x06" + little(0, 4) + little(entries.size(), 2) + little(entries.size(), 2) +
         little(directory.size(), 4) + little(archive.size(), 4) + little(0, 2);
}

/// Everything that an archive holds.
inline std::map<std::string, std::string> zip_entries(const std::string& archive) {
  const importer::ZipReader zip(archive);
  std::map<std::string, std::string> entries;
  for (const std::string& name : zip.names()) entries[name] = std::string(zip.read(name));
  return entries;
}

}  // namespace tamiz::test_support
