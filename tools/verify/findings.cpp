#include "verify/findings.hpp"

#include <algorithm>

namespace spillway::verify {
namespace {

struct KindText {
  Kind kind;
  std::string_view name;
  std::string_view title;
  PromiseSet broken;
};

// In the order of Kind.
constexpr std::array<KindText, kinds> texts{{
    {Kind::lost, "lost", "lost", {Promise::no_loss}},
    {Kind::reordered_key,
     "reordered_key",
     "reordered, by key and publisher",
     {Promise::publisher_order}},
    {Kind::reordered_stream,
     "reordered_stream",
     "reordered, by position",
     {Promise::stream_order, Promise::duplicates_stutter}},
    {Kind::overtaken, "overtaken", "overtaken while in the outbox", {Promise::publisher_order}},
    {Kind::duplicate_unmarked,
     "duplicates_unmarked",
     "duplicates, unmarked",
     {Promise::no_unexplained_duplicate}},
    {Kind::without_position, "without_position", "without a position", {Promise::one_position}},
    {Kind::position_shared,
     "position_shared",
     "one position, two records",
     {Promise::one_position}},
    {Kind::record_renamed, "record_renamed", "one record, two positions", {Promise::one_position}},
    {Kind::key_in_two_places,
     "key_in_two_places",
     "one key, two partitions",
     {Promise::publisher_order}},
    {Kind::never_accepted, "never_accepted", "never accepted", {Promise::nothing_altered}},
    {Kind::damaged, "damaged", "damaged payload", {Promise::nothing_altered}},
    {Kind::dead_and_delivered,
     "dead_and_delivered",
     "dead letter, yet delivered",
     {Promise::gapless}},
    {Kind::dead_and_waiting,
     "dead_and_waiting",
     "dead letter, yet in the outbox",
     {Promise::gapless}},
    {Kind::altered, "altered", "altered", {Promise::nothing_altered}},
    {Kind::misplaced,
     "misplaced",
     "in a partition that is not its key's",
     {Promise::nothing_altered}},
    {Kind::copy_elsewhere,
     "copy_elsewhere",
     "a copy in another partition",
     {Promise::duplicates_stutter}},
    {Kind::unknown_stream, "unknown_stream", "of no known lane", {Promise::one_position}},
    {Kind::gap_in_stream, "gap_in_stream", "a number that is nowhere", {Promise::gapless}},
    {Kind::mark_unfounded,
     "mark_unfounded",
     "marked without a cause",
     {Promise::no_unexplained_duplicate}},
    {Kind::key_on_two_lanes, "key_on_two_lanes", "one key, two lanes", {Promise::publisher_order}},
    {Kind::renumbered_calls,
     "renumbered_calls",
     "numbered against its publisher's order",
     {Promise::publisher_order}},
    {Kind::effect_before_cause,
     "effect_before_cause",
     "numbered against cause and effect",
     {Promise::causal_order}},
    {Kind::miscounted, "miscounted", "miscounted", {Promise::conservation}},
    {Kind::untrue_outcome, "untrue_outcome", "reported, and not so", {Promise::true_outcomes}},
    {Kind::slow_call, "slow_call", "publish() over its budget", {Promise::never_waits}},
    {Kind::early_token, "early_token", "token before its commit", {Promise::wakeup_after_commit}},
    {Kind::wrong_state,
     "wrong_state",
     "a change of state that is none",
     {Promise::release_and_return}},
    {Kind::returned_early,
     "returned_early",
     "direct before its rows were gone",
     {Promise::release_and_return}},
    {Kind::held_row_read, "held_row_read", "a relay on held rows", {Promise::release_and_return}},
    {Kind::baseless_dead_letter,
     "baseless_dead_letter",
     "dead letter without a lasting error",
     {Promise::dead_letters_kept}},
    {Kind::lease_shared, "lease_shared", "one lease, two relays", {Promise::one_relay}},
    {Kind::read_without_lease,
     "read_without_lease",
     "a relay read without its lease",
     {Promise::one_relay}},
    {Kind::deleted_unacked,
     "deleted_unacked",
     "deleted before its ack",
     {Promise::deletes_acked_prefix}},
    {Kind::needless_spill,
     "needless_spill",
     "spilled without a fault",
     {Promise::no_needless_spill}},
    {Kind::drained_late, "drained_late", "drained too late", {Promise::live_again}},
    {Kind::dishonest_close,
     "dishonest_close",
     "closed, and not settled as it said",
     {Promise::honest_close}},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kinds; ++i) {
    if (texts[i].kind != static_cast<Kind>(i)) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view name_of(Kind kind) noexcept {
  return texts[static_cast<std::size_t>(kind)].name;
}

std::string_view title_of(Kind kind) noexcept {
  return texts[static_cast<std::size_t>(kind)].title;
}

PromiseSet promises_of(Kind kind) noexcept {
  return texts[static_cast<std::size_t>(kind)].broken;
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
  if (!refusals.empty()) return Verdict::inconclusive;
  const bool broken = std::ranges::any_of(findings, [](const Finding& f) { return f.count != 0; });
  if (broken) return Verdict::violated;
  return doubts.empty() ? Verdict::passed : Verdict::inconclusive;
}

Judgement AuditResult::judgement(Promise promise) const noexcept {
  if (!refusals.empty()) return Judgement::not_judged;
  for (std::size_t i = 0; i < kinds; ++i) {
    if (findings[i].count != 0 && texts[i].broken.has(promise)) return Judgement::violated;
  }
  return not_judged[index_of(promise)].empty() ? Judgement::holds : Judgement::not_judged;
}

std::vector<Kind> AuditResult::offences(Promise promise) const {
  std::vector<Kind> found;
  for (const KindText& text : texts) {
    if (count(text.kind) != 0 && text.broken.has(promise)) found.push_back(text.kind);
  }
  return found;
}

}  // namespace spillway::verify
