// tests/fuzz/mutator.hpp: inputs from inputs, by a seed, with any compiler.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "crash/dice.hpp"

namespace spillway::fuzz {

using Bytes = std::vector<std::byte>;

class Mutator {
 public:
  Mutator(std::vector<Bytes> corpus, std::uint64_t seed) : corpus_{std::move(corpus)}, dice_{seed} {
    corpus_.emplace_back();
  }

  /// One input of the corpus with one to eight changes.
  Bytes next() {
    Bytes input = any();
    for (std::uint64_t changes = dice_.log_uniform(8); changes > 0; --changes)
      change(input);
    return input;
  }

 private:
  static constexpr std::size_t bytes_max = 4'096;
  static constexpr std::array<std::uint8_t, 10> telling{0,   1,   0x7F, 0x80, 0xFF,
                                                        '-', '0', '"',  '\n', '='};

  const Bytes& any() { return corpus_[dice_.below(corpus_.size())]; }
  std::size_t place(const Bytes& input) { return dice_.below(input.size() + 1); }
  std::byte byte() {
    return static_cast<std::byte>(dice_.one_in(2) ? telling.at(dice_.below(telling.size()))
                                                  : dice_.below(256));
  }

  void change(Bytes& input) {
    const std::size_t at = place(input);
    const auto position = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (dice_.below(6)) {
      case 0:  // a bit
        if (at < input.size()) input[at] ^= static_cast<std::byte>(1U << dice_.below(8));
        return;
      case 1:  // a byte
        if (at < input.size()) input[at] = byte();
        return;
      case 2:  // some more
        if (input.size() < bytes_max) input.insert(position, 1 + dice_.below(8), byte());
        return;
      case 3: {  // some less
        const std::size_t count = std::min(input.size() - at, dice_.log_uniform(64));
        input.erase(position, position + static_cast<std::ptrdiff_t>(count));
        return;
      }
      case 4:  // the end is cut
        input.resize(at);
        return;
      default: {  // the end is another's
        const Bytes& other = any();
        const auto from = other.begin() + static_cast<std::ptrdiff_t>(place(other));
        input.resize(at);
        input.insert(input.end(), from, other.end());
        input.resize(std::min(input.size(), bytes_max));
      }
    }
  }

  std::vector<Bytes> corpus_;
  crash::Dice dice_;
};

}  // namespace spillway::fuzz
