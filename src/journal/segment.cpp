#include "journal/segment.hpp"

#include <atomic>

#include "core/check.hpp"

namespace spillway::journal {
namespace {

using core::RecordHeader;
using core::RecordState;

}  // namespace

RecordState load_state(const RecordHeader& record) noexcept {
  // std::atomic_ref<const T> is C++26. Acquire: pairs with the release in store_state().
  auto& state = const_cast<std::uint64_t&>(record.state);
  return RecordState{std::atomic_ref{state}.load(std::memory_order_acquire)};
}

void store_state(RecordHeader& record, RecordState state) noexcept {
  // Release: pairs with the acquire in load_state(), of a lane, a waiter or a recovering process.
  std::atomic_ref{record.state}.store(static_cast<std::uint64_t>(state), std::memory_order_release);
}

SegmentWriter::SegmentWriter(std::span<std::byte> memory) noexcept : memory_{memory} {
  end_walk_here();
}

void SegmentWriter::accept(RecordHeader& record) noexcept {
  SPILLWAY_CHECK(has_room_for(record.record_bytes));
  used_ += record.record_bytes;
  end_walk_here();  // Before the state: else a walk would run on into what lay here before.
  store_state(record, RecordState::accepted);
}

void SegmentWriter::end_walk_here() const noexcept {
  if (memory_.size() - used_ < sizeof(RecordHeader::state)) return;
  // Every record and every segment begins at a multiple of 8.
  auto* const word = reinterpret_cast<std::uint64_t*>(memory_.data() + used_);
  // Relaxed: ordered before the record's state by the release in store_state(). Atomic, because a
  // reader of tickets may look here.
  std::atomic_ref{*word}.store(0, std::memory_order_relaxed);
}

std::optional<WalkedRecord> SegmentWalk::next() noexcept {
  if (torn_ || memory_.size() - at_ < sizeof(RecordHeader)) return std::nullopt;
  const std::span<const std::byte> rest = memory_.subspan(at_);
  // Checked below by decode_record() before anything but these two words is believed.
  const auto& header = *reinterpret_cast<const RecordHeader*>(rest.data());
  const RecordState state = load_state(header);
  const auto view = core::decode_record(rest);
  if (state == RecordState::empty) {
    // What lay here before the segment was used again is older than the record before it.
    torn_ = view.has_value() && at_ != 0 && header.stamp > last_stamp_;
    return std::nullopt;
  }
  if (!view || state > RecordState::settled) {
    torn_ = true;
    return std::nullopt;
  }
  const WalkedRecord record{.offset = at_, .state = state, .view = *view};
  at_ += header.record_bytes;
  last_stamp_ = header.stamp;
  return record;
}

}  // namespace spillway::journal
