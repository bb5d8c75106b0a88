#include "journal/journal.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/check.hpp"
#include "core/limits.hpp"

namespace spillway::journal {
namespace {

using core::LaneIndex;
using core::RecordOffset;
using core::segment_bytes;
using core::Seq;

constexpr std::size_t bits_in_word = 64;
// While a publisher has the segment open: far above what lanes can count down.
constexpr std::int64_t open_bias = std::int64_t{1} << 40;

constexpr std::size_t words_for(std::size_t bits) noexcept {
  return (bits + bits_in_word - 1) / bits_in_word;
}

}  // namespace

Journal::Journal(const std::string& path, std::size_t size_bytes)
    : file_{path, size_bytes},
      segments_(file_.data().size() / segment_bytes),
      free_(words_for(segments_.size())) {}

Journal::Journal(std::span<std::byte> mapped)
    : file_{mapped},
      segments_(file_.data().size() / segment_bytes),
      free_(words_for(segments_.size())) {}

std::size_t Journal::used_segments() const noexcept {
  std::size_t free_count = 0;
  for (const auto& word : free_) {
    // Relaxed: a number for people and for the lanes' high-water mark.
    free_count += static_cast<std::size_t>(std::popcount(word.load(std::memory_order_relaxed)));
  }
  return segments_.size() - free_count;
}

std::optional<SegmentIndex> Journal::take_segment() noexcept {
  for (std::size_t i = 0; i < free_.size(); ++i) {
    std::uint64_t word = free_[i].load(std::memory_order_relaxed);
    while (word != 0) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(word));
      // Acquire: pairs with the release in give_back(): the lanes' last reads are behind us.
      if (free_[i].compare_exchange_weak(word, word & (word - 1), std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
        const SegmentIndex segment{static_cast<std::uint32_t>(i * bits_in_word + bit)};
        Segment& taken = segments_[segment.value];
        taken.live.store(open_bias, std::memory_order_relaxed);
        // Release: pairs with the acquire in generation_of(): a waiter that sees old bytes changed
        // sees the new generation.
        taken.generation.fetch_add(1, std::memory_order_release);
        return segment;
      }
    }
  }
  return std::nullopt;
}

std::span<std::byte> Journal::memory_of(SegmentIndex segment) const noexcept {
  return file_.data().subspan(segment.value * segment_bytes, segment_bytes);
}

void Journal::close_segment(SegmentIndex segment, std::size_t records) noexcept {
  const std::int64_t change = static_cast<std::int64_t>(records) - open_bias;
  // Acquire and release: pairs with free_records(): whoever brings it to zero has seen all others'
  // reads.
  const std::int64_t left =
      segments_[segment.value].live.fetch_add(change, std::memory_order_acq_rel) + change;
  SPILLWAY_CHECK(left >= 0);
  if (left == 0) give_back(segment);
}

void Journal::free_records(SegmentIndex segment, std::size_t records) noexcept {
  const auto change = static_cast<std::int64_t>(records);
  // Acquire and release: pairs with itself and with close_segment().
  const std::int64_t left =
      segments_[segment.value].live.fetch_sub(change, std::memory_order_acq_rel) - change;
  SPILLWAY_CHECK(left >= 0);
  if (left == 0) give_back(segment);
}

void Journal::adopt_segment(SegmentIndex segment, std::size_t live) noexcept {
  segments_[segment.value].live.store(static_cast<std::int64_t>(live), std::memory_order_relaxed);
  if (live == 0) give_back(segment);
}

void Journal::give_back(SegmentIndex segment) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << (segment.value % bits_in_word);
  // Release: pairs with the acquire in take_segment().
  const std::uint64_t before =
      free_[segment.value / bits_in_word].fetch_or(bit, std::memory_order_release);
  SPILLWAY_CHECK((before & bit) == 0);
}

std::uint64_t Journal::generation_of(SegmentIndex segment) const noexcept {
  // Acquire: pairs with the release in take_segment().
  return segments_[segment.value].generation.load(std::memory_order_acquire);
}

core::RecordHeader& Journal::record(RecordOffset at) const noexcept {
  SPILLWAY_CHECK(at.value >= segment_bytes && at.value < file_.size_bytes());
  // Offsets are made by offset_of() from headers that were written here.
  return *reinterpret_cast<core::RecordHeader*>(file_.data().data() + (at.value - segment_bytes));
}

RecordOffset Journal::offset_of(const void* at) const noexcept {
  const auto distance = static_cast<const std::byte*>(at) - file_.data().data();
  return {static_cast<std::uint64_t>(distance) + segment_bytes};
}

SegmentIndex Journal::segment_of(RecordOffset at) const noexcept {
  return {static_cast<std::uint32_t>(at.value / segment_bytes - 1)};
}

Seq Journal::next_seq(LaneIndex lane) const noexcept {
  return {std::max<std::uint64_t>(1, file_.header().lane[lane.value].next_seq)};
}

void Journal::set_next_seq(LaneIndex lane, Seq next) noexcept {
  // Release: after the seqs in the records themselves, as a later process reads them.
  std::atomic_ref{file_.header().lane[lane.value].next_seq}.store(next.value,
                                                                  std::memory_order_release);
}

bool Journal::outbox_touched(LaneIndex lane) const noexcept {
  return file_.header().lane[lane.value].outbox_touched != 0;
}

void Journal::set_outbox_touched(LaneIndex lane, bool touched) noexcept {
  // Release: before any row is handed to the writer, as a later process reads it.
  std::atomic_ref{file_.header().lane[lane.value].outbox_touched}.store(touched ? 1 : 0,
                                                                        std::memory_order_release);
}

void Journal::set_lanes(std::size_t lanes) noexcept {
  file_.header().lanes = static_cast<std::uint32_t>(lanes);
}

void Journal::set_relaning(bool relaning) noexcept {
  std::atomic_ref{file_.header().relaning}.store(relaning ? 1U : 0U, std::memory_order_release);
}

std::uint16_t Journal::topic_count() const noexcept {
  const auto& topics = file_.header().topic;
  const auto used = [](const TopicSlot& slot) {
    auto& bytes = const_cast<std::uint8_t&>(slot.name_bytes);
    // Acquire: pairs with the release in add_topic().
    return std::atomic_ref{bytes}.load(std::memory_order_acquire) != 0;
  };
  return static_cast<std::uint16_t>(std::ranges::find_if_not(topics, used) - topics.begin());
}

std::string_view Journal::topic_name(core::TopicIndex topic) const noexcept {
  SPILLWAY_CHECK(topic.value < core::topics_max);
  const TopicSlot& slot = file_.header().topic[topic.value];
  return {slot.name.data(), slot.name_bytes};
}

std::optional<core::TopicIndex> Journal::add_topic(std::string_view name) noexcept {
  SPILLWAY_CHECK(!name.empty() && name.size() <= core::topic_name_bytes_max);
  const std::uint16_t count = topic_count();
  for (std::uint16_t i = 0; i < count; ++i) {
    if (topic_name({i}) == name) return core::TopicIndex{i};
  }
  if (count == core::topics_max) return std::nullopt;
  TopicSlot& slot = file_.header().topic[count];
  std::memcpy(slot.name.data(), name.data(), name.size());
  // Release: the name first; pairs with the acquire in topic_count(), of this process or a later
  // one.
  std::atomic_ref{slot.name_bytes}.store(static_cast<std::uint8_t>(name.size()),
                                         std::memory_order_release);
  return core::TopicIndex{count};
}

}  // namespace spillway::journal
