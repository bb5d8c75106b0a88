#include "accept_logs.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command.hpp"

namespace spillway::program {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{4} << 20;
constexpr std::size_t chunk_calls = chunk_bytes / sizeof(verify::Accept);

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw CommandError{ExitCode::unusable, path + ": " + why};
}

std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                    std::chrono::nanoseconds{1});
}

// Room first: a store into a mapping of a full disk would be a SIGBUS.
void* map_room(int file, std::size_t from, std::size_t bytes) noexcept {
  if (::posix_fallocate(file, static_cast<off_t>(from), static_cast<off_t>(bytes)) != 0) {
    return MAP_FAILED;
  }
  return ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file,
                static_cast<off_t>(from));
}

}  // namespace

AcceptLogWriter::AcceptLogWriter(const std::string& directory, std::uint64_t run,
                                 std::uint32_t publisher) {
  const std::string path = directory + '/' + verify::accept_log_name(publisher);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file_ < 0) fail(path, std::generic_category().message(errno));
  void* const first = map_room(file_, 0, verify::accept_log_header_bytes);
  if (first == MAP_FAILED) fail(path, "no room for it");
  header_ = static_cast<verify::AcceptLogHeader*>(first);
  *header_ = {.magic = verify::accept_log_magic,
              .run = run,
              .version = verify::accept_log_version,
              .publisher = publisher,
              .begun = 0};
  if (!map_next()) fail(path, "no room for its calls");
}

AcceptLogWriter::~AcceptLogWriter() {
  if (chunk_ != nullptr) ::munmap(chunk_, chunk_bytes);
  if (header_ != nullptr) ::munmap(header_, verify::accept_log_header_bytes);
  if (file_ >= 0) ::close(file_);
}

bool AcceptLogWriter::map_next() noexcept {
  void* const next =
      map_room(file_, verify::accept_log_header_bytes + chunks_ * chunk_bytes, chunk_bytes);
  if (next == MAP_FAILED) return false;
  if (chunk_ != nullptr) ::munmap(chunk_, chunk_bytes);
  chunk_ = static_cast<verify::Accept*>(next);
  used_ = 0;
  ++chunks_;
  return true;
}

bool AcceptLogWriter::begin(std::uint64_t content) noexcept {
  if (used_ == chunk_calls && !map_next()) return false;
  call_ = &chunk_[used_++];
  call_->content = content;
  call_->begin_ns = now_ns();
  // Release: whoever reads the count after a kill finds the call below it.
  std::atomic_ref{header_->begun}.store(header_->begun + 1, std::memory_order_release);
  return true;
}

void AcceptLogWriter::begin_again() noexcept {
  call_->begin_ns = now_ns();
}

void AcceptLogWriter::end(bool accepted) noexcept {
  call_->return_ns = now_ns();
  const auto answer = accepted ? verify::Answer::accepted : verify::Answer::rejected;
  std::atomic_ref{call_->answer}.store(static_cast<std::uint64_t>(answer),
                                       std::memory_order_release);
}

AcceptLogs::AcceptLogs(const std::string& directory, std::string topic, std::uint64_t run,
                       std::uint32_t first_publisher, std::size_t publishers)
    : topic_{std::move(topic)} {
  for (std::size_t i = 0; i < publishers; ++i) {
    writers_.push_back(std::make_unique<AcceptLogWriter>(
        directory, run, first_publisher + static_cast<std::uint32_t>(i)));
  }
}

std::uint64_t AcceptLogs::content_of(const Envelope& envelope) const noexcept {
  verify::RecordReader record{envelope.key.bytes(), envelope.tombstone
                                                        ? std::optional<Bytes>{}
                                                        : std::optional{envelope.payload}};
  for (const Header& header : envelope.headers)
    record.take_header(header.name, header.value);
  return verify::content_of(topic_, record);
}

std::uint32_t AcceptLogs::next_publisher(const std::string& directory, bool go_on) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) fail(directory, error.message());
  std::uint32_t next = 0;
  while (std::filesystem::exists(directory + '/' + verify::accept_log_name(next), error))
    ++next;
  if (next != 0 && !go_on) {
    throw CommandError{ExitCode::usage,
                       directory +
                           " holds the accept logs of another load; go on with that by its "
                           "--run, or name another directory"};
  }
  return next;
}

}  // namespace spillway::program
