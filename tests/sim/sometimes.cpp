#include "sim/sometimes.hpp"

#include <ostream>

namespace spillway::sim {
namespace {

// In the order of the enumerations.
constexpr std::array<const char*, situation_count> situation_names{"direct to spilling",
                                                                   "direct to recalling",
                                                                   "recalling to spilling",
                                                                   "spilling to direct",
                                                                   "spilling to returning",
                                                                   "spilling to recalling",
                                                                   "returning to direct",
                                                                   "returning to spilling",
                                                                   "held rows released",
                                                                   "held then fatal",
                                                                   "owner dead held rows adopted",
                                                                   "owner back after adoption",
                                                                   "kafka fault while recalling",
                                                                   "kafka fault while spilling",
                                                                   "kafka fault while returning",
                                                                   "postgres fault while recalling",
                                                                   "postgres fault while spilling",
                                                                   "postgres fault while returning",
                                                                   "redis fault while recalling",
                                                                   "redis fault while spilling",
                                                                   "redis fault while returning",
                                                                   "all servers down",
                                                                   "late append before relays copy",
                                                                   "late append after relays copy",
                                                                   "late append after return",
                                                                   "repeat filtered",
                                                                   "batch of one row",
                                                                   "batch full",
                                                                   "dead letter by lane",
                                                                   "dead letter by relay",
                                                                   "lease moved",
                                                                   "stale relays rows landed",
                                                                   "crash in publish claimed",
                                                                   "crash in publish accepted",
                                                                   "crash after publish",
                                                                   "crash between steps",
                                                                   "crash in recovery",
                                                                   "relay crash",
                                                                   "half written record discarded",
                                                                   "journal full",
                                                                   "journal free again",
                                                                   "publisher preempted",
                                                                   "lanes changed",
                                                                   "lanes waited for old streams",
                                                                   "record renumbered",
                                                                   "marked fatal",
                                                                   "marked recovery",
                                                                   "marked lease",
                                                                   "rows found without token",
                                                                   "refusal unheard"};
constexpr std::array<const char*, port_call_count> call_names{
    "none",        "submit", "reports", "recall", "write rows", "write letters", "release",
    "hear outbox", "notify", "scan",    "read",   "finish",     "give up",       "hear relay"};
constexpr std::array<const char*, happening_count> happening_names{
    "commit lost yes",     "commit lost no",      "commit in limbo", "limbo committed",
    "lease lost silently", "recall of none",      "recall of one",   "recall of many",
    "recall mixed",        "recall out of order", "batch refused",   "one refused",
    "answered no leader",  "token lost",          "list at cap",     "deletes forgotten",
    "taken back"};

}  // namespace

const char* name_of(Situation situation) noexcept {
  return situation_names[static_cast<std::size_t>(situation)];
}

void Sometimes::add(const Trace& trace) noexcept {
  for (std::size_t i = 0; i < happening_count; ++i)
    happenings_[i] += trace.counted(static_cast<Happening>(i));
}

template <class Visit>
void Sometimes::visit(Visit visit) const {
  for (std::size_t i = 0; i < situation_count; ++i)
    visit("", situation_names[i], situations_[i]);
  for (std::size_t i = 1; i < port_call_count; ++i)
    visit("crash in ", call_names[i], crashes_[i]);
  for (std::size_t i = 0; i < happening_count; ++i)
    visit("", happening_names[i], happenings_[i]);
}

void Sometimes::print(std::ostream& out) const {
  visit([&out](const char* prefix, const char* name, std::uint64_t count) {
    out << prefix << name << ": " << count << '\n';
  });
}

std::size_t Sometimes::print_missing(std::ostream& out) const {
  std::size_t missing = 0;
  visit([&out, &missing](const char* prefix, const char* name, std::uint64_t count) {
    if (count != 0) return;
    ++missing;
    out << "never met: " << prefix << name << '\n';
  });
  return missing;
}

}  // namespace spillway::sim
