#include "tamiz/screening/campaign/ledger.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "tamiz/core/base/descriptor.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/screening/campaign/ledger_frame.hpp"
#include "tamiz/screening/oracle/signal_hold.hpp"

namespace tamiz {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what, int error) {
  throw FileError(fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)));
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(folder_of(path), error);
  if (error) throw FileError(fmt::format("{}: cannot make its folder: {}", path.string(), error.message()));
}

/// Writes everything at `offset`; returns 0 or the error.
int write_at(int file, std::string_view bytes, off_t offset) {
  const SignalHold hold(SIGXFSZ);  // a file size limit is reported as an error, like a full disk
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

struct Ledger::Impl {
  explicit Impl(std::filesystem::path given);

  void lock() const;
  void load();
  void append(const nlohmann::json& record);
  /// Cuts the file back to its whole records; false when the system refuses.
  bool cut() const { return ::ftruncate(file.get(), end) == 0 && ::fsync(file.get()) == 0; }

  std::filesystem::path path;
  bool is_new;
  Descriptor file;
  off_t end = 0;           ///< bytes of whole records
  bool has_tail = false;   ///< a broken write could not be cut off yet
  std::vector<nlohmann::json> records;
};

Ledger::Impl::Impl(std::filesystem::path given)
    : path((make_folder(given), std::move(given))), is_new(!std::filesystem::exists(path)), file(path, O_RDWR | O_CREAT) {
  if (file.get() < 0) fail(path, "cannot open the ledger", errno);
  lock();
  if (is_new) sync_folder_of(path);
  load();
}

void Ledger::Impl::lock() const {
  if (!lock_file(file.get(), path))
    throw FileError(path.string() + ": the ledger is in use by another process: wait until it has ended, or stop it");
}

void Ledger::Impl::load() {
  const std::string bytes = read_file(path);
  ledger_frame::Content content = ledger_frame::decode(bytes, path.string());
  records = std::move(content.records);
  end = static_cast<off_t>(content.whole_bytes);
  if (content.whole_bytes == bytes.size()) return;
  log::warning(fmt::format("{}: cut off the last record, which was not written to its end ({} bytes)", path.string(),
                           bytes.size() - content.whole_bytes));
  if (!cut()) fail(path, "cannot cut off a torn record", errno);
}

void Ledger::Impl::append(const nlohmann::json& record) {
  const std::string line = ledger_frame::encode(record);
  if (has_tail && !cut()) fail(path, "cannot cut off a broken record", errno);
  has_tail = false;
  if (const int error = write_at(file.get(), line, end); error != 0) {
    has_tail = !cut();
    fail(path, fmt::format("cannot write a record of {} bytes, make room and go on (nothing before it is lost)", line.size()),
         error);
  }
  end += static_cast<off_t>(line.size());
  records.push_back(record);
}

Ledger::Ledger(std::filesystem::path path) : impl_(std::make_unique<Impl>(std::move(path))) {}
Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

void Ledger::append(const nlohmann::json& record) { impl_->append(record); }
const std::vector<nlohmann::json>& Ledger::records() const { return impl_->records; }
const std::filesystem::path& Ledger::path() const { return impl_->path; }

std::vector<nlohmann::json> Ledger::read(const std::filesystem::path& path) {
  return ledger_frame::decode(read_file(path), path.string()).records;
}

}  // namespace tamiz
