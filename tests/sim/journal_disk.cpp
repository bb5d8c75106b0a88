#include "sim/journal_disk.hpp"

#include <algorithm>
#include <cstddef>

#include <sys/mman.h>

#include "core/check.hpp"
#include "journal/segment.hpp"

namespace spillway::sim {
namespace {

constexpr std::size_t topics_used = 4;
constexpr std::size_t header_used =
    offsetof(journal::JournalHeader, topic) + topics_used * sizeof(journal::TopicSlot);

}  // namespace

JournalDisk::JournalDisk() {
  void* const at =
      ::mmap(nullptr, disk_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SPILLWAY_CHECK(at != MAP_FAILED);
  memory_ = {static_cast<std::byte*>(at), disk_bytes};
}

JournalDisk::~JournalDisk() {
  ::munmap(memory_.data(), memory_.size());
}

template <class Visit>
void JournalDisk::visit_used(Visit visit) const {
  visit(memory_.first(header_used));
  for (std::size_t i = 1; i <= disk_segments; ++i)
    visit(memory_.subspan(i * core::segment_bytes, used_));
}

void JournalDisk::format(core::InstanceId instance, std::size_t segment_bytes_used) noexcept {
  for (std::size_t i = 1; i <= disk_segments; ++i)
    std::ranges::fill(memory_.subspan(i * core::segment_bytes, used_), std::byte{0});
  std::ranges::fill(memory_.first(header_used), std::byte{0});
  used_ = segment_bytes_used;
  reinterpret_cast<journal::JournalHeader*>(memory_.data())->instance = instance.value;
}

void JournalDisk::save() {
  saved_.clear();
  visit_used([this](std::span<const std::byte> piece) {
    saved_.insert(saved_.end(), piece.begin(), piece.end());
  });
}

void JournalDisk::restore() noexcept {
  std::size_t at = 0;
  visit_used([this, &at](std::span<std::byte> piece) {
    std::copy_n(saved_.begin() + static_cast<std::ptrdiff_t>(at), piece.size(), piece.begin());
    at += piece.size();
  });
}

const core::RecordHeader& JournalDisk::record(core::RecordOffset at) const noexcept {
  // Offsets count from the beginning of the file.
  return *reinterpret_cast<const core::RecordHeader*>(memory_.data() + at.value);
}

const journal::JournalHeader& JournalDisk::header() const noexcept {
  return *reinterpret_cast<const journal::JournalHeader*>(memory_.data());
}

std::size_t JournalDisk::unsettled() const noexcept {
  std::size_t count = 0;
  for (std::size_t i = 1; i <= disk_segments; ++i) {
    journal::SegmentWalk walk{memory_.subspan(i * core::segment_bytes, core::segment_bytes)};
    while (const auto record = walk.next())
      count += record->state == core::RecordState::settled ? 0U : 1U;
  }
  return count;
}

}  // namespace spillway::sim
