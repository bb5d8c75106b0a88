#include "crash/judge.hpp"

#include <map>
#include <utility>

namespace spillway::crash {
namespace {

std::string text_of(const RecordName& name) {
  return std::to_string(name.publisher) + "/" + std::to_string(name.number);
}

std::string text_of(const Sent& sent) {
  return text_of(sent.name) + " at lane " + std::to_string(sent.lane) + " seq " +
         std::to_string(sent.seq);
}

struct Copies {
  std::uint64_t all = 0;
  std::uint64_t marked = 0;
  std::uint64_t seq = 0;
  std::uint16_t lane = 0;
};

/// One pass over the ledger in the order in which Kafka was given it.
class Judge {
 public:
  explicit Judge(const Accepts& accepts) : accepts_{accepts} {}

  void see(const Sent& sent) {
    const RecordName name = sent.name;
    if (name.publisher >= publishers || name.number == 0 ||
        name.number > accepts_.last[name.publisher]) {
      return blame("invented", text_of(sent));
    }
    if (!sent.intact) blame("altered", text_of(sent));
    Copies& copies = copies_[name];
    if (copies.all != 0 && (copies.seq != sent.seq || copies.lane != sent.lane)) {
      blame("two positions for one record", text_of(sent));
    }
    ++copies.all;
    if (sent.marked) ++copies.marked;
    if (copies.all == 1) see_first(sent, copies);
    if (copies.all > 1 + copies.marked) blame("a copy without a mark", text_of(sent));
  }

  std::vector<std::string> verdict() {
    for (std::uint32_t publisher = 0; publisher < publishers; ++publisher) {
      for (std::uint64_t number = 1; number <= accepts_.last[publisher]; ++number) {
        const RecordName name{.publisher = publisher, .number = number};
        if (!copies_.contains(name) && !accepts_.unknown.contains(name)) {
          blame("lost", text_of(name));
        }
      }
    }
    for (const auto& [lane, seqs] : seqs_) {
      if (*seqs.begin() != 1 || *seqs.rbegin() != seqs.size()) {
        blame("a gap", "lane " + std::to_string(lane) + " has " + std::to_string(seqs.size()) +
                           " seqs up to " + std::to_string(*seqs.rbegin()));
      }
    }
    std::vector<std::string> lines;
    for (const auto& [what, first] : found_)
      lines.push_back(what + ": " + first);
    return lines;
  }

 private:
  void see_first(const Sent& sent, Copies& copies) {
    copies.seq = sent.seq;
    copies.lane = sent.lane;
    std::set<std::uint64_t>& seqs = seqs_[sent.lane];
    if (!seqs.empty() && sent.seq < *seqs.rbegin()) blame("behind a later seq", text_of(sent));
    if (!seqs.insert(sent.seq).second) blame("one position for two records", text_of(sent));
    std::uint64_t& number = last_number_[{sent.lane, sent.name.publisher}];
    if (sent.name.number < number) blame("behind a later one of its publisher", text_of(sent));
    number = sent.name.number;
    std::uint64_t& order = last_order_[sent.lane];
    if (accepts_.in_one_thread && sent.order < order) {
      blame("behind one published after it", text_of(sent));
    }
    order = sent.order;
  }

  void blame(const std::string& what, const std::string& which) { found_.try_emplace(what, which); }

  const Accepts& accepts_;
  std::map<RecordName, Copies> copies_;
  std::map<std::uint16_t, std::set<std::uint64_t>> seqs_;  // by lane
  std::map<std::pair<std::uint16_t, std::uint32_t>, std::uint64_t> last_number_;
  std::map<std::uint16_t, std::uint64_t> last_order_;
  std::map<std::string, std::string> found_;
};

}  // namespace

std::vector<std::string> violations_of(const Accepts& accepts, std::span<const Sent> sent) {
  Judge judge{accepts};
  for (const Sent& one : sent)
    judge.see(one);
  return judge.verdict();
}

}  // namespace spillway::crash
