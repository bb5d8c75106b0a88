// src/loops/relay_topics.hpp: a relay's topics by name: rows carry names, not indices.

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/ids.hpp"
#include "core/limits.hpp"
#include "handoff/arrow.hpp"
#include "handoff/topic_directory.hpp"

namespace spillway::loops {

/// Asks the housekeeper for what is known of a topic.
struct TopicQuestion {
  core::TopicIndex topic;
  std::string name;
};

/// What the relay's process knows of a topic already; unasked when nothing.
using KnownTopics = std::function<handoff::TopicFacts(std::string_view name)>;

/// @thread relay
class RelayTopics {
 public:
  /// `known` is called on the relay's thread.
  RelayTopics(handoff::TopicDirectory& directory, handoff::Arrow<TopicQuestion>& questions,
              KnownTopics known = {})
      : directory_{directory}, questions_{questions}, known_{std::move(known)} {}

  /// The index of a name; a new one is asked about. With more topics than the directory holds, the
  /// oldest is forgotten, and asked about again when it comes.
  [[nodiscard]] core::TopicIndex index_of(std::string_view name) {
    const auto known = indices_.find(name);
    if (known != indices_.end()) return known->second;
    const core::TopicIndex topic{static_cast<std::uint16_t>(next_++ % core::topics_max)};
    std::erase_if(indices_, [topic](const auto& entry) { return entry.second == topic; });
    // A relay meets its first row when Kafka has just come back: no time to ask what is known.
    directory_.set(topic, known_ ? known_(name) : handoff::TopicFacts{});
    indices_.emplace(std::string{name}, topic);
    questions_.send({.topic = topic, .name = std::string{name}});
    return topic;
  }

  void doubt(core::TopicIndex topic) noexcept { directory_.doubt(topic); }
  [[nodiscard]] handoff::TopicFacts facts(core::TopicIndex topic) const noexcept {
    return directory_.get(topic);
  }

 private:
  handoff::TopicDirectory& directory_;
  handoff::Arrow<TopicQuestion>& questions_;
  KnownTopics known_;
  std::map<std::string, core::TopicIndex, std::less<>> indices_;
  std::size_t next_ = 0;
};

}  // namespace spillway::loops
