#include "spillway/publisher.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "core/header_block.hpp"
#include "core/routing.hpp"
#include "runtime/clock.hpp"
#include "runtime/publisher_impl.hpp"

namespace spillway {
namespace {

using core::RecordHeader;

constexpr std::uint32_t timed_one_in = 64;  // a power of two

std::int32_t length_of(const std::optional<Bytes>& bytes) noexcept {
  return bytes ? static_cast<std::int32_t>(bytes->size()) : core::absent;
}

std::byte* copy(std::byte* out, Bytes bytes) noexcept {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

std::byte* content_of(RecordHeader& header) noexcept {
  // The content follows its header in the same segment.
  return reinterpret_cast<std::byte*>(&header) + sizeof header;
}

// Behind key and headers.
std::byte* payload_of(RecordHeader& header) noexcept {
  return content_of(header) + std::max(header.key_bytes, 0) + header.headers_bytes;
}

}  // namespace

// ---- Publisher::Impl ----

Publisher::Impl::Impl(runtime::PublishSide& side)
    : side_{side},
      counters_{side.slots.take()},
      home_lane_{static_cast<std::uint16_t>(side.next_home.fetch_add(1, std::memory_order_relaxed) %
                                            side.hand_offs.size())} {
  senders_.reserve(side.hand_offs.size());
  for (const auto& hand_off : side.hand_offs)
    senders_.emplace_back(*hand_off);
}

Publisher::Impl::~Impl() {
  close_segment();
  side_.slots.give_back(counters_);
}

PublishResult Publisher::Impl::publish(const Envelope& envelope) noexcept {
  if (++calls_ % timed_one_in != 0) return publish_untimed(envelope);
  const core::Stamp begun = runtime::stamp_now();
  const PublishResult result = publish_untimed(envelope);
  counters_->publish.record(runtime::stamp_now().value - begun.value);
  return result;
}

PublishResult Publisher::Impl::publish_untimed(const Envelope& envelope) noexcept {
  const std::int32_t payload_bytes =
      envelope.tombstone ? core::absent : length_of(envelope.payload);
  PublishStatus refusal = PublishStatus::accepted;
  if (envelope.payload.size() > side_.record_bytes_max) return refuse(PublishStatus::too_large);
  RecordHeader* const header = lay_out(envelope, payload_bytes, refusal);
  if (header == nullptr) return refuse(refusal);
  if (payload_bytes > 0) copy(payload_of(*header), envelope.payload);
  return accept(*header);
}

RecordHeader* Publisher::Impl::lay_out(const Envelope& envelope, std::int32_t payload_bytes,
                                       PublishStatus& refusal) noexcept {
  refusal = PublishStatus::closed;
  if (side_.closed.load(std::memory_order_relaxed)) return nullptr;
  const std::optional<Bytes> key = envelope.key.bytes();
  const std::size_t limit = side_.record_bytes_max;
  const std::optional<std::size_t> headers_bytes = core::header_block_bytes(envelope.headers);
  const std::size_t key_bytes = key ? key->size() : 0;
  refusal = PublishStatus::too_large;
  if (!headers_bytes || key_bytes > limit || *headers_bytes > limit) return nullptr;
  const std::size_t content =
      key_bytes + *headers_bytes + static_cast<std::size_t>(std::max(payload_bytes, 0));
  if (content > limit) return nullptr;
  const std::size_t record_bytes = core::record_bytes_for(content);
  refusal = PublishStatus::journal_full;
  if (!segment_.has_room_for(record_bytes) && !make_room()) return nullptr;

  // Segments and records are aligned to 8 bytes. The state word keeps what ends the walk here.
  auto* const header = reinterpret_cast<RecordHeader*>(segment_.next());
  const core::LaneIndex lane = key ? core::lane_of_key(*key, senders_.size()) : home_lane_;
  header->seq = 0;
  header->renumbered_from = 0;
  header->event_time_ms =
      envelope.event_time ? envelope.event_time->time_since_epoch().count() : core::no_event_time;
  header->record_bytes = static_cast<std::uint32_t>(record_bytes);
  header->key_bytes = length_of(key);
  header->payload_bytes = payload_bytes;
  header->headers_bytes = static_cast<std::uint32_t>(*headers_bytes);
  header->lane = lane.value;
  header->topic = envelope.topic.index();
  std::byte* const headers_at = key ? copy(content_of(*header), *key) : content_of(*header);
  core::encode_headers(envelope.headers, {headers_at, *headers_bytes});
  return header;
}

bool Publisher::Impl::make_room() noexcept {
  const auto segment = side_.journal.take_segment();
  if (!segment) return false;
  close_segment();
  segment_index_ = segment;
  segment_ = journal::SegmentWriter{side_.journal.memory_of(*segment)};
  segment_generation_ = side_.journal.generation_of(*segment);
  segment_records_ = 0;
  return true;
}

void Publisher::Impl::close_segment() noexcept {
  if (segment_index_) side_.journal.close_segment(*segment_index_, segment_records_);
  segment_index_.reset();
}

PublishResult Publisher::Impl::accept(RecordHeader& header) noexcept {
  // Before the enqueue, and later than the stamp of every publish() that has returned to this
  // thread.
  last_stamp_ = std::max(last_stamp_ + 1, runtime::stamp_now().value);
  header.stamp = last_stamp_;
  header.check = core::header_check(header);
  segment_.accept(header);
  ++segment_records_;
  const core::RecordOffset offset = side_.journal.offset_of(&header);
  senders_[header.lane].send({.stamp = {last_stamp_}, .record = offset});
  counters_->accepted.add(1);
  return PublishResult{Ticket{offset.value, segment_generation_}};
}

PublishResult Publisher::Impl::refuse(PublishStatus why) noexcept {
  if (why == PublishStatus::journal_full) counters_->journal_full.add(1);
  if (why == PublishStatus::too_large) counters_->too_large.add(1);
  return PublishResult{why};
}

Claim::Room* Publisher::Impl::claim(const Envelope& envelope, std::size_t payload_bytes) noexcept {
  room_ = {
      .publisher = this, .header = nullptr, .payload = {}, .refusal = PublishStatus::too_large};
  if (payload_bytes > side_.record_bytes_max) return &room_;
  room_.header = lay_out(envelope, static_cast<std::int32_t>(payload_bytes), room_.refusal);
  if (room_.header == nullptr) return &room_;
  room_.payload = {payload_of(*room_.header), payload_bytes};
  return &room_;
}

PublishResult Publisher::Impl::commit(Claim::Room& room) noexcept {
  if (room.header == nullptr) return refuse(room.refusal);
  room.payload = {};
  room.refusal = PublishStatus::closed;  // of a second commit
  return accept(*std::exchange(room.header, nullptr));
}

// ---- The public classes ----

Publisher::Publisher(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Publisher::Publisher(Publisher&& other) noexcept = default;
Publisher& Publisher::operator=(Publisher&& other) noexcept = default;
Publisher::~Publisher() = default;

PublishResult Publisher::publish(const Envelope& envelope) noexcept {
  return impl_->publish(envelope);
}

PublishResult Publisher::publish_within(std::chrono::nanoseconds timeout,
                                        const Envelope& envelope) noexcept {
  // A segment holds thousands of records, and to have one a little later costs less than to look
  // for it all the time.
  constexpr std::chrono::microseconds first_pause{100};
  constexpr std::chrono::microseconds longest_pause{1'000};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto pause = first_pause;
  while (true) {
    const PublishResult result = publish(envelope);
    if (result.status() != PublishStatus::journal_full) return result;
    if (std::chrono::steady_clock::now() >= deadline) return result;
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, longest_pause);
  }
}

Claim Publisher::claim(const Topic& topic, Key key, std::size_t payload_bytes,
                       Headers headers) noexcept {
  const Envelope envelope{.topic = topic, .key = key, .headers = headers};
  return Claim{impl_->claim(envelope, payload_bytes)};
}

Claim::Claim(Room* room) noexcept : room_{room} {}
// What was laid out and not committed lies beyond the segment's end: the next record takes its
// place.
Claim::~Claim() {
  *room_ = Room{};
}

std::span<std::byte> Claim::payload() const noexcept {
  return room_->payload;
}

PublishResult Claim::commit() noexcept {
  return room_->publisher->commit(*room_);
}

}  // namespace spillway
