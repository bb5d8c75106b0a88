// tools/verify/audit_stories.cpp: an audit's findings in words.

#include "verify/audit.hpp"

namespace spillway::verify {

// The first offender is the one with the lowest place, whatever order the partitions were read in;
// its story is put together only when it is that.
void Audit::found(Kind kind, std::optional<Place> place, std::optional<StreamSeq> position,
                  const std::function<std::string()>& story, std::uint64_t count,
                  std::optional<TagRef> tag) {
  Finding& finding = result_.findings[static_cast<std::size_t>(kind)];
  const bool is_first =
      finding.count == 0 || (place && (!finding.place || *place < *finding.place));
  finding.count += count;
  if (!is_first) return;
  finding.place = place;
  finding.where = place ? text_of(*place) : std::string{};
  finding.record.reset();
  if (tag) {
    const PublisherLog& log = logs_[tag->log];
    finding.record = RecordName{.run = log.run, .publisher = log.publisher, .n = tag->n};
  }
  finding.position = position ? text_of(*position) : std::string{};
  finding.story = story();
}

std::string Audit::text_of(StreamSeq at) const {
  const Stream& stream = streams_[at.stream];
  return verify::text_of(Position{.instance = stream.instance, .lane = stream.lane, .seq = at.seq});
}

std::string Audit::text_of(Place place) const {
  return name_of_topic(place.topic) + '-' + std::to_string(place.partition) + " @ " +
         std::to_string(place.offset);
}

const std::string& Audit::name_of_topic(std::uint16_t topic) const {
  return topic == 0 ? scope_.topic : scope_.other_topics.at(topic - 1U);
}

std::string Audit::text_of(TagRef tag) const {
  return "publisher " + std::to_string(logs_[tag.log].publisher) + " n " + std::to_string(tag.n);
}

std::string Audit::whereabouts(StreamSeq at) const {
  const auto slot = streams_[at.stream].seqs.find(at.seq);
  if (!slot || slot->print == 0) return "nowhere";
  if (slot->word.has(delivered)) {
    return text_of(place_of(slot->word));
  }
  if (slot->word.has(waiting)) return "in the outbox";
  return slot->word.has(dead) ? "a dead letter" : "in a journal";
}

std::string Audit::whereabouts(TagRef tag) const {
  const auto slot = logs_[tag.log].records.find(tag.n);
  if (!slot || !slot->word.has(placed)) return "nowhere";
  return whereabouts(StreamSeq{.stream = slot->word.index(), .seq = slot->word.number()});
}

}  // namespace spillway::verify
