#include "core/position.hpp"

#include <charconv>
#include <cstdint>

namespace spillway::core {
namespace {

constexpr std::size_t instance_chars = 16;

// A number as to_chars writes it: digits only, no leading zero.
template <class Number>
std::optional<Number> parse_plain(std::string_view text) noexcept {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "<instance>-<lane>-"; how many characters.
std::size_t write_stream(StreamId stream, PositionText& out) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  std::uint64_t rest = stream.instance.value;
  for (std::size_t i = instance_chars; i-- > 0; rest >>= 4U)
    out[i] = digits[rest & 0xFU];
  char* at = out.data() + instance_chars;
  *at++ = '-';
  at = std::to_chars(at, out.data() + out.size(), stream.lane.value).ptr;
  *at++ = '-';
  return static_cast<std::size_t>(at - out.data());
}

std::string_view write_seq(Seq seq, PositionText& out, std::size_t behind) noexcept {
  char* const end = std::to_chars(out.data() + behind, out.data() + out.size(), seq.value).ptr;
  return {out.data(), static_cast<std::size_t>(end - out.data())};
}

}  // namespace

std::string_view format_position(StreamId stream, Seq seq, PositionText& out) noexcept {
  return write_seq(seq, out, write_stream(stream, out));
}

std::string_view PositionWriter::write(StreamId stream, Seq seq) noexcept {
  if (stream_chars_ == 0 || stream != stream_) {
    stream_ = stream;
    stream_chars_ = write_stream(stream, text_);
  }
  return write_seq(seq, text_, stream_chars_);
}

std::optional<ParsedPosition> parse_position(std::string_view text) noexcept {
  if (text.size() < instance_chars + 4 || text[instance_chars] != '-') return std::nullopt;
  std::uint64_t instance = 0;
  for (const char digit : text.substr(0, instance_chars)) {
    const bool is_number = digit >= '0' && digit <= '9';
    if (!is_number && (digit < 'a' || digit > 'f')) return std::nullopt;
    instance =
        (instance << 4U) | static_cast<std::uint64_t>(is_number ? digit - '0' : digit - 'a' + 10);
  }
  const std::string_view rest = text.substr(instance_chars + 1);
  const std::size_t dash = rest.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto lane = parse_plain<std::uint16_t>(rest.substr(0, dash));
  const auto seq = parse_plain<std::uint64_t>(rest.substr(dash + 1));
  if (!lane || !seq || *seq == 0) return std::nullopt;
  return ParsedPosition{.stream = {.instance = {instance}, .lane = {*lane}}, .seq = {*seq}};
}

std::string_view name_of(ResendCause cause) noexcept {
  switch (cause) {
    case ResendCause::none:
      return "";
    case ResendCause::fatal:
      return "fatal";
    case ResendCause::recovery:
      return "recovery";
    case ResendCause::lease:
      return "lease";
  }
  return "";
}

std::optional<ResendCause> parse_resend_cause(std::string_view text) noexcept {
  using enum ResendCause;
  for (const ResendCause cause : {none, fatal, recovery, lease}) {
    if (text == name_of(cause)) return cause;
  }
  return std::nullopt;
}

}  // namespace spillway::core
