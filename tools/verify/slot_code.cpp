#include "verify/slot_code.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace spillway::verify {
namespace {

constexpr unsigned quotient_end = 20;  // from here on the step is written out

constexpr std::uint64_t low_bits(unsigned bits) noexcept {
  return (std::uint64_t{1} << bits) - 1;
}

class BitWriter {
 public:
  // bits < 64
  void put(std::uint64_t value, unsigned bits) {
    pending_ |= value << used_;
    used_ += bits;
    if (used_ < 64) return;
    words_.push_back(pending_);
    used_ -= 64;
    pending_ = used_ == 0 ? 0 : value >> (bits - used_);
  }
  [[nodiscard]] std::vector<std::uint64_t> take() {
    words_.push_back(pending_);
    return {words_.begin(), words_.end()};  // no larger than it is
  }

 private:
  std::vector<std::uint64_t> words_;
  std::uint64_t pending_ = 0;
  unsigned used_ = 0;
};

class BitReader {
 public:
  explicit BitReader(std::span<const std::uint64_t> words) noexcept : words_{words} {}

  [[nodiscard]] std::uint64_t take(unsigned bits) noexcept {
    const std::uint64_t value = next() & low_bits(bits);
    at_ += bits;
    return value;
  }
  [[nodiscard]] unsigned take_ones(unsigned most) noexcept {
    const unsigned ones = std::min(most, static_cast<unsigned>(std::countr_one(next())));
    at_ += ones < most ? ones + 1 : ones;
    return ones;
  }

 private:
  [[nodiscard]] std::uint64_t next() const noexcept {
    const std::size_t word = at_ / 64;
    const unsigned shift = at_ % 64;
    const std::uint64_t low = words_[word] >> shift;
    if (shift == 0 || word + 1 == words_.size()) return low;
    return low | (words_[word + 1] << (64 - shift));
  }

  std::span<const std::uint64_t> words_;
  std::size_t at_ = 0;
};

// What encoder and decoder know of the slots before, and so need not say.
class Neighbours {
 public:
  struct Run {
    std::uint16_t index = 0;
    std::uint64_t last = 0;    // number
    std::uint64_t mean16 = 0;  // of the steps, in sixteenths

    // Near the best parameter for steps that fall off geometrically: log2(mean * ln 2).
    [[nodiscard]] unsigned parameter() const noexcept {
      return static_cast<unsigned>(std::bit_width(mean16 * 11 >> 8U));
    }
  };
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  [[nodiscard]] std::size_t find(std::uint16_t index) const noexcept {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (runs_[i].index == index) return i;
    }
    return none;
  }
  [[nodiscard]] const Run& run(std::size_t i) const noexcept { return runs_[i]; }
  [[nodiscard]] unsigned index_bits() const noexcept {
    return runs_.empty() ? 0 : static_cast<unsigned>(std::bit_width(runs_.size() - 1));
  }
  [[nodiscard]] std::uint8_t flags() const noexcept { return flags_; }

  void follow(std::size_t i, std::uint64_t step) noexcept {
    Run& run = runs_[i];
    run.last += step + 1;
    run.mean16 += 2 * step;
    run.mean16 -= run.mean16 / 8;
  }
  void restart(PackedWord word) {
    flags_ = word.flags();
    const std::size_t known = find(word.index());
    if (known == none) {
      runs_.push_back({.index = word.index(), .last = word.number(), .mean16 = 0});
    } else {
      runs_[known].last = word.number();
    }
  }

 private:
  std::vector<Run> runs_;
  std::uint8_t flags_ = 0;
};

void put_step(BitWriter& out, std::uint64_t step, unsigned parameter) {
  const std::uint64_t quotient = step >> parameter;
  if (quotient >= quotient_end) {
    out.put(low_bits(quotient_end), quotient_end);
    out.put(step, PackedWord::number_bits);
    return;
  }
  const auto ones = static_cast<unsigned>(quotient);
  out.put(low_bits(ones), ones + 1);
  out.put(step & low_bits(parameter), parameter);
}

std::uint64_t take_step(BitReader& in, unsigned parameter) noexcept {
  const std::uint64_t quotient = in.take_ones(quotient_end);
  if (quotient == quotient_end) return in.take(PackedWord::number_bits);
  return (quotient << parameter) | in.take(parameter);
}

}  // namespace

std::vector<std::uint64_t> encode(std::span<const CodedSlot> slots, unsigned print_bits) {
  BitWriter out;
  Neighbours before;
  for (const CodedSlot& slot : slots) {
    if (slot == CodedSlot{}) {
      out.put(0, 2);
      continue;
    }
    const PackedWord word = slot.word;
    const std::size_t run = before.find(word.index());
    if (run != Neighbours::none && word.flags() == before.flags() &&
        word.number() > before.run(run).last) {
      const std::uint64_t step = word.number() - before.run(run).last - 1;
      out.put(1, 1);
      out.put(run, before.index_bits());
      put_step(out, step, before.run(run).parameter());
      before.follow(run, step);
    } else {
      out.put(2, 2);
      out.put(word.flags(), PackedWord::flag_bits);
      out.put(word.index(), PackedWord::index_bits);
      out.put(word.number(), PackedWord::number_bits);
      before.restart(word);
    }
    out.put(slot.print, print_bits);
  }
  return out.take();
}

void decode(std::span<const std::uint64_t> code, unsigned print_bits, std::span<CodedSlot> slots) {
  BitReader in{code};
  Neighbours before;
  for (CodedSlot& slot : slots) {
    slot = {};
    if (in.take(1) == 1) {
      const std::size_t run = in.take(before.index_bits());
      before.follow(run, take_step(in, before.run(run).parameter()));
      slot.word.set(before.flags());
      slot.word.set(before.run(run).last, before.run(run).index);
    } else if (in.take(1) == 1) {
      slot.word.set(static_cast<std::uint8_t>(in.take(PackedWord::flag_bits)));
      const auto index = static_cast<std::uint16_t>(in.take(PackedWord::index_bits));
      slot.word.set(in.take(PackedWord::number_bits), index);
      before.restart(slot.word);
    } else {
      continue;
    }
    slot.print = static_cast<std::uint32_t>(in.take(print_bits));
  }
}

}  // namespace spillway::verify
