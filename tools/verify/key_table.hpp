// tools/verify/key_table.hpp: for each (publisher, key): the highest n seen, and in which
// partition.
//
// There may be as many keys as messages, so an entry is 16 bytes: a hash that stands for publisher
// and key (two of 10^7 meet with a chance of 10^-6), and both values in one word.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace spillway::verify {

inline constexpr unsigned key_table_n_bits = 44;

class KeyTable {
 public:
  struct Last {
    std::uint64_t n = 0;
    std::uint32_t partition = 0;
  };

  /// The entry of `hash`; nothing the first time.
  [[nodiscard]] std::optional<Last> find(std::uint64_t hash) const noexcept;
  /// Sets the entry of `hash`. n < 2^44, partition < 2^16.
  void put(std::uint64_t hash, Last last);

  [[nodiscard]] std::size_t bytes() const noexcept { return entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint64_t hash = 0;  // 0: empty
    std::uint64_t packed = 0;
  };
  [[nodiscard]] std::size_t place_of(std::uint64_t hash) const noexcept;
  void grow();

  std::vector<Entry> entries_;
  std::size_t used_ = 0;
};

}  // namespace spillway::verify
