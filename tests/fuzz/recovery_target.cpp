// A journal file: the first byte says how many changes its header has (place and value of each),
// what is left is written over the beginning of each segment.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "core/record.hpp"
#include "fuzz/input_reader.hpp"
#include "fuzz/target.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"
#include "journal/segment.hpp"
#include "spillway/error.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::fuzz {
namespace {

constexpr std::size_t segments = 2;
constexpr std::size_t file_bytes = (1 + segments) * core::segment_bytes;
constexpr std::size_t content_max = std::size_t{64} << 10;
// Where something is: identity, lanes' numbers, and the first topics' names.
constexpr std::size_t header_bytes = offsetof(journal::JournalHeader, topic) + 4 * 256;

struct Hostile {
  std::vector<std::pair<std::size_t, char>> header_changes;
  std::vector<char> content;
};

// Else no length would be believed but those that somebody has published.
void make_checks_right(std::vector<char>& content) {
  std::size_t at = 0;
  while (content.size() - at >= sizeof(core::RecordHeader)) {
    core::RecordHeader header;
    std::memcpy(&header, content.data() + at, sizeof header);
    header.check = core::header_check(header);
    std::memcpy(content.data() + at, &header, sizeof header);
    if (header.record_bytes < sizeof header || header.record_bytes > content.size() - at) return;
    at += header.record_bytes;
  }
}

Hostile hostile_of(Input input) {
  constexpr unsigned right_checks = 0x80;
  InputReader reader{input};
  Hostile hostile;
  const unsigned first = reader.number<std::uint8_t>();
  for (unsigned i = 0; i < first % 16U; ++i) {
    const std::size_t at = reader.number<std::uint16_t>();
    hostile.header_changes.emplace_back(at, static_cast<char>(reader.number<std::uint8_t>()));
  }
  const Input rest = reader.rest().first(std::min(reader.rest().size(), content_max));
  hostile.content.resize(rest.size());
  if (!rest.empty()) std::memcpy(hostile.content.data(), rest.data(), rest.size());
  if ((first & right_checks) != 0) make_checks_right(hostile.content);
  return hostile;
}

/// A good file with a topic, and what is written over it.
class Image {
 public:
  Image() {
    journal::Journal journal{path(), file_bytes};
    static_cast<void>(journal.add_topic("orders"));
    good_.resize(header_bytes);
    file_ = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    read(good_, 0);
  }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() { ::close(file_); }

  [[nodiscard]] std::string path() const { return directory_.file("journal"); }

  void write(const Hostile& hostile) {
    std::vector<char> header = good_;
    for (const auto& [at, value] : hostile.header_changes)
      header[at % header.size()] = value;
    std::vector<char> content = hostile.content;
    content.resize(content_max);
    put(header, 0);
    for (std::size_t i = 1; i <= segments; ++i)
      put(content, i * core::segment_bytes);
  }

  [[nodiscard]] std::vector<char> everything() const {
    std::vector<char> all(header_bytes + content_max);
    std::vector<char> part(header_bytes);
    read(part, 0);
    std::ranges::copy(part, all.begin());
    part.resize(content_max);
    read(part, core::segment_bytes);
    std::ranges::copy(part, all.begin() + static_cast<std::ptrdiff_t>(header_bytes));
    return all;
  }

 private:
  void put(const std::vector<char>& bytes, std::size_t at) const {
    expect(::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
               static_cast<ssize_t>(bytes.size()),
           "the image can be written");
  }
  void read(std::vector<char>& bytes, std::size_t at) const {
    expect(::pread(file_, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
               static_cast<ssize_t>(bytes.size()),
           "the image can be read");
  }

  test::TemporaryDirectory directory_;
  std::vector<char> good_;
  int file_ = -1;
};

bool lies_in(Bytes part, Bytes whole) {
  if (part.empty()) return true;
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void expect_sound(const journal::Journal& journal, const journal::RecoveredRecord& found) {
  const core::RecordHeader& header = journal.record(found.record);
  const Bytes segment = journal.memory_of(journal.segment_of(found.record));
  const core::RecordView view = core::view_of(header);
  expect(core::header_check(header) == header.check, "a found record's check holds");
  expect(lies_in(view.headers, segment) && lies_in(view.key.value_or(Bytes{}), segment) &&
             lies_in(view.payload.value_or(Bytes{}), segment),
         "a found record lies in its segment");
  expect(view.topic.value < journal.topic_count(), "a found record's topic is known");
  expect(journal.topic_name(view.topic).size() <= core::topic_name_bytes_max,
         "a topic's name lies in its slot");
}

/// What was found, as numbers; nothing when the file was refused.
std::optional<std::vector<std::uint64_t>> recover_once(const std::string& path) {
  try {
    journal::Journal journal{path, file_bytes};
    const journal::Recovered found = journal::recover(journal);
    std::vector<std::uint64_t> numbers{found.records, found.torn, found.foreign,
                                       journal.used_segments()};
    for (std::uint16_t lane = 0; lane < core::lanes_max; ++lane) {
      numbers.push_back(journal.next_seq({lane}).value);
      for (const journal::RecoveredRecord& record : found.lanes[lane]) {
        expect_sound(journal, record);
        expect(record.seq < journal.next_seq({lane}), "no seq is given twice");
        numbers.insert(numbers.end(), {record.record.value, record.seq.value, record.stamp.value});
      }
    }
    return numbers;
  } catch (const StartError& error) {
    expect(std::string{error.what()}.starts_with("journal "), "a refusal names the file");
    return std::nullopt;
  }
}

void walk_memory(const std::vector<char>& content) {
  // No larger than it is: a read behind its end is a sanitizer's.
  std::vector<std::uint64_t> aligned(content.size() / 8);
  const std::size_t bytes = 8 * aligned.size();
  if (bytes != 0) std::memcpy(aligned.data(), content.data(), bytes);
  const Bytes memory = std::as_bytes(std::span{aligned});
  std::size_t records = 0;
  for (journal::SegmentWalk walk{memory}; const auto record = walk.next();) {
    ++records;
    expect(lies_in(record->view.headers, memory) &&
               lies_in(record->view.key.value_or(Bytes{}), memory) &&
               lies_in(record->view.payload.value_or(Bytes{}), memory),
           "a walk stays in its memory");
  }
  expect(records <= memory.size() / sizeof(core::RecordHeader), "a walk ends");
}

}  // namespace

void recover_journal(Input input) {
  static Image image;
  const Hostile hostile = hostile_of(input);
  walk_memory(hostile.content);
  image.write(hostile);
  const std::vector<char> before = image.everything();
  const auto first = recover_once(image.path());
  if (!first) expect(image.everything() == before, "a refused file is left as it is");
  expect(recover_once(image.path()) == first, "a second recovery gives the same");
}

}  // namespace spillway::fuzz
