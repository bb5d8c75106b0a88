// perf/common/workload.hpp: what is published, by how many, and into what: the same for both sides.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "spillway/envelope.hpp"

namespace spillway::perf {

struct Workload {
  std::size_t payload_bytes = 200;
  std::size_t keys = 1'000;
  int partitions = 1;
  std::size_t publishers = 1;
  unsigned lanes = 1;  ///< And raw producers.
  bool baseline_has_header = true;

  /// "1 lane, 200 B, 4 partitions, header on both", with keys and publishers where not as usual.
  [[nodiscard]] std::string name() const {
    const Workload usual;
    std::string text = counted(lanes, "lane") + ", " + std::to_string(payload_bytes) + " B, " +
                       counted(partitions, "partition");
    if (keys != usual.keys) text += ", " + counted(keys, "key");
    if (publishers != usual.publishers) text += ", " + counted(publishers, "publisher");
    return text + (baseline_has_header ? ", header on both" : ", header on ours");
  }

 private:
  template <class Number>
  [[nodiscard]] static std::string counted(Number number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
  }
};

/// A payload, and keys of 16 bytes in turns.
class Content {
 public:
  explicit Content(const Workload& workload)
      : payload_(workload.payload_bytes, std::byte{'x'}), keys_(workload.keys) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      std::array<char, key_bytes + 1> text{};
      std::snprintf(text.data(), text.size(), "customer-%07zu", i % 10'000'000);
      std::copy_n(text.begin(), key_bytes, keys_[i].begin());
    }
  }

  [[nodiscard]] Bytes payload() const noexcept { return payload_; }
  /// Which key the n-th envelope has.
  [[nodiscard]] std::size_t turn(std::uint64_t n) const noexcept { return n % keys_.size(); }
  [[nodiscard]] std::string_view key(std::size_t turn) const noexcept {
    return {keys_[turn].data(), key_bytes};
  }

 private:
  static constexpr std::size_t key_bytes = 16;
  std::vector<std::byte> payload_;
  std::vector<std::array<char, key_bytes>> keys_;
};

}  // namespace spillway::perf
