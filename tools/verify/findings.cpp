#include "verify/findings.hpp"

#include <algorithm>

namespace spillway::verify {

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::lost:
      return "lost";
    case Kind::reordered_key:
      return "reordered_key";
    case Kind::reordered_stream:
      return "reordered_stream";
    case Kind::overtaken:
      return "overtaken";
    case Kind::duplicate_unmarked:
      return "duplicates_unmarked";
    case Kind::without_position:
      return "without_position";
    case Kind::position_shared:
      return "position_shared";
    case Kind::record_renamed:
      return "record_renamed";
    case Kind::key_in_two_places:
      return "key_in_two_places";
    case Kind::never_accepted:
      return "never_accepted";
    case Kind::damaged:
      return "damaged";
    case Kind::dead_and_delivered:
      return "dead_and_delivered";
    case Kind::dead_and_waiting:
      return "dead_and_waiting";
  }
  return "";
}

std::string_view title_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::lost:
      return "lost";
    case Kind::reordered_key:
      return "reordered, by key and publisher";
    case Kind::reordered_stream:
      return "reordered, by position";
    case Kind::overtaken:
      return "overtaken while in the outbox";
    case Kind::duplicate_unmarked:
      return "duplicates, unmarked";
    case Kind::without_position:
      return "without a position";
    case Kind::position_shared:
      return "one position, two records";
    case Kind::record_renamed:
      return "one record, two positions";
    case Kind::key_in_two_places:
      return "one key, two partitions";
    case Kind::never_accepted:
      return "never accepted";
    case Kind::damaged:
      return "damaged payload";
    case Kind::dead_and_delivered:
      return "dead letter, yet delivered";
    case Kind::dead_and_waiting:
      return "dead letter, yet in the outbox";
  }
  return "";
}

std::string_view name_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::violated:
      return "violated";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  return "";
}

Verdict AuditResult::verdict() const noexcept {
  const bool broken = std::ranges::any_of(findings, [](const Finding& f) { return f.count != 0; });
  if (broken) return Verdict::violated;
  return doubts.empty() ? Verdict::passed : Verdict::inconclusive;
}

}  // namespace spillway::verify
