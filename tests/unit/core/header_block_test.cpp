// tests/unit/core/header_block_test.cpp: headers there and back to the byte; hostile blocks (P5).

#include "core/header_block.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace spillway::core {
namespace {

using OwnedHeader = std::pair<std::string, std::optional<std::string>>;

std::vector<Header> views_of(const std::vector<OwnedHeader>& headers) {
  std::vector<Header> views;
  for (const auto& [name, value] : headers) {
    views.push_back({name, value ? std::optional{bytes_of(*value)} : std::nullopt});
  }
  return views;
}

std::vector<std::byte> encoded(const std::vector<OwnedHeader>& headers) {
  const std::vector<Header> views = views_of(headers);
  std::vector<std::byte> block(header_block_bytes(views).value());
  encode_headers(views, block);
  return block;
}

std::string text_of(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes)
    text.push_back(static_cast<char>(byte));
  return text;
}

std::vector<OwnedHeader> decoded(Bytes block) {
  std::vector<OwnedHeader> headers;
  for (HeaderReader reader{block}; const auto header = reader.next();) {
    headers.emplace_back(header->name,
                         header->value ? std::optional{text_of(*header->value)} : std::nullopt);
  }
  return headers;
}

bool lies_within(const void* at, std::size_t bytes, Bytes block) {
  const auto* const first = static_cast<const std::byte*>(at);
  return bytes == 0 || (first >= block.data() && first + bytes <= block.data() + block.size());
}

TEST(HeaderBlock, IsEmptyWithoutHeaders) {
  EXPECT_EQ(header_block_bytes({}), 0U);
  EXPECT_EQ(count_headers({}), 0U);
}

TEST(HeaderBlock, TellsNullFromEmpty) {
  const std::vector<OwnedHeader> headers{{"null", std::nullopt}, {"empty", ""}};

  EXPECT_EQ(decoded(encoded(headers)), headers);
}

TEST(HeaderBlock, KeepsOrderAndRepeatedNames) {
  const std::vector<OwnedHeader> headers{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"", "no name"}};

  EXPECT_EQ(decoded(encoded(headers)), headers);
}

TEST(HeaderBlock, RefusesANameThatItsLengthCannotSay) {
  const std::string longest(std::numeric_limits<std::int16_t>::max(), 'n');
  const std::string too_long = longest + 'n';

  EXPECT_TRUE(header_block_bytes(std::vector<Header>{{longest, std::nullopt}}));
  EXPECT_FALSE(header_block_bytes(std::vector<Header>{{too_long, std::nullopt}}));
}

TEST(HeaderBlock, IsReadBackAsItWasWritten) {
  using Generated = std::vector<std::pair<std::string, rc::Maybe<std::string>>>;
  const bool holds = rc::check("decode(encode(x)) = x", [](const Generated& generated) {
    std::vector<OwnedHeader> headers;
    for (const auto& [name, value] : generated) {
      headers.emplace_back(name, value ? std::optional{*value} : std::nullopt);
    }

    const std::vector<std::byte> block = encoded(headers);

    RC_ASSERT(decoded(block) == headers);
    RC_ASSERT(count_headers(block) == headers.size());
  });
  EXPECT_TRUE(holds);
}

TEST(HeaderBlock, IsMalformedWhenCutAnywhereButBetweenHeaders) {
  const std::vector<OwnedHeader> headers{{"first", "value"}, {"second", std::nullopt}};
  const std::vector<std::byte> block = encoded(headers);
  const std::size_t boundary = encoded({headers.front()}).size();

  for (std::size_t bytes = 0; bytes <= block.size(); ++bytes) {
    const bool is_whole = bytes == 0 || bytes == boundary || bytes == block.size();
    EXPECT_EQ(count_headers(Bytes{block}.first(bytes)).has_value(), is_whole) << bytes;
  }
}

TEST(HeaderBlock, NeverReadsOutsideWhateverItHolds) {
  const bool holds = rc::check("views lie in the block", [] {
    // Small numbers, so that lengths often fit; a vector of its size shows a step outside to ASan.
    const auto small = rc::gen::inRange<std::uint8_t>(0, 4);
    const auto raw =
        *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::weightedOneOf<std::uint8_t>(
            {{3, small}, {1, rc::gen::arbitrary<std::uint8_t>()}}));
    std::vector<std::byte> block;
    for (const std::uint8_t byte : raw)
      block.push_back(static_cast<std::byte>(byte));
    block.shrink_to_fit();

    std::size_t count = 0;
    for (HeaderReader reader{block}; const auto header = reader.next(); ++count) {
      RC_ASSERT(lies_within(header->name.data(), header->name.size(), block));
      if (header->value) {
        RC_ASSERT(lies_within(header->value->data(), header->value->size(), block));
      }
    }
    RC_ASSERT(count <= block.size() / 6);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace spillway::core
