// src/runtime/publisher_impl.hpp: one publisher's segment, tokens and last stamp.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/record.hpp"
#include "handoff/hand_off.hpp"
#include "journal/segment.hpp"
#include "runtime/publishers.hpp"
#include "spillway/publisher.hpp"

namespace spillway {

/// A place in the segment, filled but for the payload; there is one, since one Claim lives at a
/// time.
struct Claim::Room {
  Publisher::Impl* publisher = nullptr;
  core::RecordHeader* header = nullptr;  ///< Null: refused, for the reason below, or committed.
  std::span<std::byte> payload;
  PublishStatus refusal = PublishStatus::accepted;
};

struct Publisher::Impl {
  explicit Impl(runtime::PublishSide& side);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  PublishResult publish(const Envelope& envelope) noexcept;
  Claim::Room* claim(const Envelope& envelope, std::size_t payload_bytes) noexcept;
  PublishResult commit(Claim::Room& room) noexcept;

 private:
  [[nodiscard]] PublishResult publish_untimed(const Envelope& envelope) noexcept;
  /// Makes room and writes all but the payload; null and a reason when refused.
  core::RecordHeader* lay_out(const Envelope& envelope, std::int32_t payload_bytes,
                              PublishStatus& refusal) noexcept;
  [[nodiscard]] bool make_room() noexcept;
  void close_segment() noexcept;
  [[nodiscard]] PublishResult accept(core::RecordHeader& header) noexcept;
  PublishResult refuse(PublishStatus why) noexcept;

  runtime::PublishSide& side_;
  handoff::PublisherCounters* counters_;
  journal::SegmentWriter segment_;
  std::optional<journal::SegmentIndex> segment_index_;
  std::uint64_t segment_generation_ = 0;
  std::size_t segment_records_ = 0;
  std::uint64_t last_stamp_ = 0;
  std::uint32_t calls_ = 0;
  core::LaneIndex home_lane_;
  std::vector<handoff::HandOff::Sender> senders_;  // by lane
  Claim::Room room_;
};

}  // namespace spillway
