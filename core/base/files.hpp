#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tamiz {

/// Whole file as bytes. Throws FileError with the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Writes to a temporary file beside `path`, fsyncs it, renames it over `path` and fsyncs the folder:
/// a reader sees the old content or the new one, also after `kill -9`. Throws FileError; the old file
/// is then untouched. Links are followed; a device or pipe (/dev/stdout) is written in place.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
/// The same for content in pieces, none of which is copied.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::string_view> pieces);

/// For libraries that write files of their own: calls `write` with a path beside `path`, and puts what it wrote in place of `path` at
/// once. Nothing is left where it throws. `write` syncs what it writes.
void write_file_beside(const std::filesystem::path& path, const std::function<void(const std::filesystem::path&)>& write);

/// Removes from `folder` what writes left there that were killed before their rename, but not what a process of this machine is
/// writing now. A folder that is not there is empty.
void remove_unfinished_writes(const std::filesystem::path& folder);

/// The folder that a file is in: "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// Makes sure that the name of a new or renamed file is on the disk, without which it can be lost when the machine stops. Throws FileError.
void sync_folder_of(const std::filesystem::path& path);

/// Locks an open file for as long as its descriptor is; false where another process has it. Some file systems have no locks: then there is
/// a warning, and it is for the user to start no two processes on one file. Throws FileError.
bool lock_file(int descriptor, const std::filesystem::path& path);

/// Folder of the shipped data (models, campaigns, prototypes, tables): `TAMIZ_DATA`, else
/// `../share/tamiz` beside the running library, else the source tree it was built from.
/// Throws FileError when none exists.
std::filesystem::path data_directory();

/// Folder that holds the library or program that contains this code.
std::filesystem::path own_directory();

}  // namespace tamiz
