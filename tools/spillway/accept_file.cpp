#include "accept_file.hpp"

#include <bit>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.hpp"

namespace spillway::program {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's counts are little-endian");

constexpr std::size_t publishers_max = 10'000;  // four digits in a payload

class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_{value} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int value() const noexcept { return value_; }

 private:
  int value_;
};

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw CommandError{ExitCode::unusable, path + ": " + why};
}

std::size_t size_of(int file, const std::string& path) {
  struct stat status {};
  if (::fstat(file, &status) != 0) fail(path, std::generic_category().message(errno));
  return static_cast<std::size_t>(status.st_size);
}

}  // namespace

AcceptFile::AcceptFile(const std::string& path, std::size_t publishers, bool go_on) {
  const Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (file.value() < 0) fail(path, std::generic_category().message(errno));
  const std::size_t before = size_of(file.value(), path);
  if (before % sizeof(std::uint64_t) != 0) fail(path, "holds no accept counts; name another file");
  if (before != 0 && !go_on) {
    throw CommandError{ExitCode::usage,
                       path +
                           " holds the accept counts of another load; go on with that by its "
                           "--run, or remove the file"};
  }
  const std::size_t known = before / sizeof(std::uint64_t);
  if (known + publishers > publishers_max) {
    fail(path,
         "a run has at most 10 000 publishers, and " + std::to_string(known) + " are in this file");
  }
  const std::size_t bytes = (known + publishers) * sizeof(std::uint64_t);
  // Room first: a store into a mapping of a full disk would be a SIGBUS.
  const int room = ::posix_fallocate(file.value(), 0, static_cast<off_t>(bytes));
  if (room != 0) fail(path, std::generic_category().message(room));
  void* const mapped =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.value(), 0);
  if (mapped == MAP_FAILED) fail(path, std::generic_category().message(errno));
  first_ = static_cast<std::uint32_t>(known);
  counts_ = {static_cast<std::uint64_t*>(mapped), known + publishers};
}

AcceptFile::~AcceptFile() {
  ::munmap(counts_.data(), counts_.size_bytes());
}

}  // namespace spillway::program
