// Up to the first zero byte a TOML file; behind it a line for each variable, NAME=VALUE.

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/target.hpp"
#include "spillway/config.hpp"
#include "spillway/error.hpp"

namespace spillway::fuzz {
namespace {

constexpr std::string_view secret = "xyzzy-secret-xyzzy";

/// A file of the process's own, without a name in any directory.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : descriptor_{::memfd_create("config", 0)} {
    expect(::write(descriptor_, content.data(), content.size()) ==
               static_cast<ssize_t>(content.size()),
           "a file in memory can be written");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// Set as long as it lives; only names that Spillway reads.
class Variables {
 public:
  explicit Variables(std::string_view lines) {
    while (!lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      const std::string line{lines.substr(0, end)};
      lines.remove_prefix(std::min(end + 1, lines.size()));
      const std::size_t equals = line.find('=');
      if (!line.starts_with("SPILLWAY_") || equals == std::string::npos) continue;
      names_.push_back(line.substr(0, equals));
      // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread.
      ::setenv(names_.back().c_str(), line.substr(equals + 1).c_str(), 1);
    }
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() {
    for (const std::string& name : names_)
      ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread.
  }

 private:
  std::vector<std::string> names_;
};

void expect_no_secret(std::string_view said) {
  expect(said.find(secret) == std::string_view::npos, "no secret is echoed");
}

}  // namespace

void read_config(Input input) {
  // Bytes may be looked at as characters.
  const std::string_view all{reinterpret_cast<const char*>(input.data()), input.size()};
  const std::size_t zero = std::min(all.find('\0'), all.size());
  const MemoryFile file{all.substr(0, zero)};
  std::string variables{all.substr(zero)};
  std::erase(variables, '\0');
  const Variables set{variables};
  // A text that is a secret by the key it is given under alone.
  const std::string hide{secret};
  try {
    const LoadedConfig loaded =
        load_config(file.path(), {{"kafka.properties.sasl.password", hide},
                                  {"redis.url", "redis://user:" + hide + "@localhost"},
                                  {"postgres.conninfo", "host=localhost password=" + hide}});
    expect(!loaded.settings.empty(), "every setting is listed");
    for (const SettingOrigin& setting : loaded.settings) {
      expect_no_secret(setting.value);
      expect(!setting.key.empty() && !setting.origin.empty(), "a setting says where it comes from");
    }
  } catch (const ConfigError& error) {
    expect(!error.violations().empty(), "a refusal says what is wrong");
    for (const std::string& violation : error.violations()) {
      expect(!violation.empty(), "a refusal says what is wrong");
      expect_no_secret(violation);
    }
  } catch (const StartError& error) {
    expect_no_secret(error.what());
  }
}

}  // namespace spillway::fuzz
