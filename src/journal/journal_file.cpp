#include "journal/journal_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "spillway/error.hpp"

namespace spillway::journal {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr mode_t owner_only = 0600;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw StartError{"journal " + path + ": " + why};
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

std::string in_mebibytes(std::size_t bytes) {
  return std::to_string(bytes / mebibyte) + " MiB";
}

/// Closes unless released.
class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_{value} {}
  Descriptor(Descriptor&& other) noexcept : value_{other.release()} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const noexcept { return value_; }
  [[nodiscard]] int release() noexcept { return std::exchange(value_, -1); }

 private:
  int value_;
};

std::uint64_t random_id() {
  std::uint64_t id = 0;
  while (id == 0) {
    if (::getrandom(&id, sizeof id, 0) != sizeof id) id = 0;
  }
  return id;
}

JournalHeader* map_header(int descriptor) {
  void* const at =
      ::mmap(nullptr, sizeof(JournalHeader), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return at == MAP_FAILED ? nullptr : static_cast<JournalHeader*>(at);
}

[[noreturn]] void refuse_size(const std::string& path, std::size_t size_bytes,
                              const std::string& free) {
  refuse(path, "needs " + in_mebibytes(size_bytes) + ", its file system has " + free +
                   " free; make it larger (a container's /dev/shm has 64 MB by default), lower "
                   "journal.size_bytes, or set journal.path");
}

// A tmpfs hands out pages until there are no more, and they are the machine's memory: ask first.
void expect_room(const std::string& path, int descriptor, std::size_t size_bytes) {
  struct statvfs room = {};
  if (::fstatvfs(descriptor, &room) != 0) return;
  const std::uint64_t free_bytes = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (free_bytes < size_bytes) refuse_size(path, size_bytes, in_mebibytes(free_bytes));
}

// fallocate, because a mapping over a hole hides a full tmpfs until a store is answered by SIGBUS.
void reserve(const std::string& path, int descriptor, std::size_t size_bytes) {
  int error = 0;
  do {
    error = ::posix_fallocate(descriptor, 0, static_cast<off_t>(size_bytes));
  } while (error == EINTR);
  if (error == 0) return;
  if (error != ENOSPC) refuse(path, "cannot reserve its space: " + error_text(error));
  refuse_size(path, size_bytes, "less");
}

bool is_same_file(int descriptor, const std::string& path) {
  struct stat opened = {};
  struct stat named = {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// One name for all, so that what a process leaves that dies over it is taken over by the next.
Descriptor lock_draft(const std::string& path, const std::string& draft) {
  while (true) {
    Descriptor file{::open(draft.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only)};
    if (file.get() < 0) {
      refuse(path, "cannot create it: " + error_text(errno) + "; set journal.path");
    }
    while (::flock(file.get(), LOCK_EX) != 0) {
      if (errno != EINTR) refuse(path, "cannot lock its draft: " + error_text(errno));
    }
    // Else its former owner was done with it while we waited.
    if (is_same_file(file.get(), draft)) return file;
  }
}

// Written whole under another name, so that nobody ever meets half a journal.
bool make_file(const std::string& path, std::size_t size_bytes) {
  const std::string draft = path + ".new";
  const Descriptor file = lock_draft(path, draft);
  const auto unlink_draft = [](const std::string* name) { ::unlink(name->c_str()); };
  std::unique_ptr<const std::string, decltype(unlink_draft)> guard{&draft, unlink_draft};
  if (::access(path.c_str(), F_OK) == 0) return false;  // Another process was quicker.
  if (::ftruncate(file.get(), 0) != 0) refuse(path, "cannot create it: " + error_text(errno));

  expect_room(path, file.get(), size_bytes);
  reserve(path, file.get(), size_bytes);
  JournalHeader* const header = map_header(file.get());
  if (header == nullptr) refuse(path, "cannot map it: " + error_text(errno));
  header->version = file_version;
  header->byte_order = byte_order_probe;
  header->size_bytes = size_bytes;
  header->segment_bytes = core::segment_bytes;
  header->instance = random_id();
  header->magic = file_magic;
  ::munmap(header, sizeof *header);
  if (::rename(draft.c_str(), path.c_str()) != 0) {
    refuse(path, "cannot create it: " + error_text(errno));
  }
  static_cast<void>(guard.release());  // The name is gone, and may be another process's by now.
  return true;
}

// Everything that can be said from a read; nothing is written.
void check_header(const std::string& path, int descriptor) {
  struct stat file = {};
  if (::fstat(descriptor, &file) != 0) refuse(path, error_text(errno));
  if (!S_ISREG(file.st_mode)) refuse(path, "is not a regular file; set journal.path");
  const auto bytes = static_cast<std::uint64_t>(file.st_size);
  auto header = std::make_unique<JournalHeader>();
  const ssize_t got = ::pread(descriptor, header.get(), sizeof *header, 0);
  const std::string way_out = "; it is left as it is: move it away, or set journal.path";
  if (got < static_cast<ssize_t>(sizeof file_magic) || header->magic != file_magic) {
    refuse(path, "is not a Spillway journal" + way_out);
  }
  if (got != static_cast<ssize_t>(sizeof *header)) refuse(path, "is cut off" + way_out);
  if (header->byte_order != byte_order_probe) refuse(path, "is of another byte order" + way_out);
  if (header->version != file_version) {
    refuse(path, "is of format " + std::to_string(header->version) + ", this is format " +
                     std::to_string(file_version) + "; drain it with the version that wrote it" +
                     way_out);
  }
  if (header->size_bytes != bytes) {
    refuse(path, "is cut off or damaged: it says " + std::to_string(header->size_bytes) +
                     " bytes and has " + std::to_string(bytes) + way_out);
  }
  if (header->segment_bytes != core::segment_bytes || bytes % core::segment_bytes != 0 ||
      bytes < 2 * core::segment_bytes || header->lanes > core::lanes_max || header->instance == 0) {
    refuse(path, "has a damaged header" + way_out);
  }
}

}  // namespace

JournalFile::JournalFile(const std::string& path, std::size_t size_bytes) : path_{path} {
  if (::access(path.c_str(), F_OK) != 0) is_new_ = make_file(path, size_bytes);
  Descriptor file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  if (file.get() < 0) refuse(path, "cannot open it: " + error_text(errno));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    refuse(path,
           errno == EWOULDBLOCK
               ? "belongs to a living process; give this one a journal.path of its own, or end "
                 "the other (fuser " +
                     path + " names it)"
               : "cannot lock it: " + error_text(errno));
  }
  check_header(path, file.get());
  // A file of ours that somebody made sparse would end in SIGBUS.
  struct stat facts = {};
  if (::fstat(file.get(), &facts) != 0) refuse(path, error_text(errno));
  reserve(path, file.get(), static_cast<std::size_t>(facts.st_size));
  descriptor_ = file.release();
  map(PROT_READ | PROT_WRITE);
}

JournalFile::JournalFile(const std::string& path, ReadOnly /*how*/) : path_{path} {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) refuse(path, "cannot open it: " + error_text(errno));
  check_header(path, file.get());
  is_in_use_ = ::flock(file.get(), LOCK_SH | LOCK_NB) != 0;
  if (!is_in_use_) ::flock(file.get(), LOCK_UN);
  descriptor_ = file.release();
  map(PROT_READ);
}

void JournalFile::map(int protection) {
  struct stat facts = {};
  void* at = MAP_FAILED;
  if (::fstat(descriptor_, &facts) == 0) {
    at = ::mmap(nullptr, static_cast<std::size_t>(facts.st_size), protection,
                MAP_SHARED | MAP_POPULATE, descriptor_, 0);
  }
  if (at == MAP_FAILED) {
    const int error = errno;
    ::close(descriptor_);
    refuse(path_, "cannot map it: " + error_text(error));
  }
  memory_ = {static_cast<std::byte*>(at), static_cast<std::size_t>(facts.st_size)};
  // A forked child must not keep the pages, nor a core dump carry the payloads.
  ::madvise(at, memory_.size(), MADV_DONTFORK);
  ::madvise(at, memory_.size(), MADV_DONTDUMP);
}

JournalFile::~JournalFile() {
  if (descriptor_ < 0) return;  // its owner's
  ::munmap(memory_.data(), memory_.size());
  ::close(descriptor_);  // and with it the lock
}

JournalHeader& JournalFile::header() const noexcept {
  // The file begins with its header, and a mapping is aligned to a page.
  return *reinterpret_cast<JournalHeader*>(memory_.data());
}

std::span<std::byte> JournalFile::data() const noexcept {
  return memory_.subspan(core::segment_bytes);
}

}  // namespace spillway::journal
