#include "record_text.hpp"

#include <cstdint>
#include <ostream>
#include <string_view>

#include "text.hpp"

namespace spillway::program {
namespace {

using Json = nlohmann::ordered_json;

// RFC 4648.
std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8U) | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= count ? digits[(group >> (18 - 6 * j)) & 0x3FU] : '=';
    }
  }
  return text;
}

bool is_utf8(const std::string& bytes) {
  try {
    (void)Json(bytes).dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

void put(Json& to, const std::string& name, const std::optional<std::string>& bytes) {
  if (!bytes) {
    to[name] = nullptr;
  } else if (is_utf8(*bytes)) {
    to[name] = *bytes;
  } else {
    to[name + "_base64"] = base64(*bytes);
  }
}

}  // namespace

Json json_of(const OutboxRecord& record) {
  Json json{{"position", record.position}};
  put(json, "topic", record.topic);
  put(json, "key", record.key);
  put(json, "payload", record.payload);
  json["headers"] = Json::array();
  for (const auto& [name, value] : record.headers) {
    Json header = Json::object();
    put(header, "name", name);
    put(header, "value", value);
    json["headers"].push_back(std::move(header));
  }
  json["accepted_at"] = iso_time(record.accepted_at);
  json["stored_at"] = iso_time(record.stored_at);
  if (record.event_time) json["event_time"] = iso_time(*record.event_time);
  json["held"] = record.held;
  json["resend"] = record.resend;
  json["attempts"] = record.attempts;
  put(json, "error", record.error);
  return json;
}

void print_record(std::ostream& out, const OutboxRecord& record) {
  std::vector<std::vector<std::string>> rows{
      {"position", record.position},          {"topic", printable(record.topic)},
      {"key", printable_or_none(record.key)}, {"accepted", iso_time(record.accepted_at)},
      {"stored", iso_time(record.stored_at)}, {"attempts", std::to_string(record.attempts)},
  };
  if (record.event_time) rows.push_back({"event time", iso_time(*record.event_time)});
  if (record.held) rows.push_back({"held", "left with librdkafka; its owner finishes it"});
  if (!record.resend.empty()) rows.push_back({"resend", record.resend});
  if (!record.error.empty()) rows.push_back({"error", printable(record.error)});
  for (const auto& [name, value] : record.headers) {
    rows.push_back({"header", printable(name) + ": " + printable_or_none(value)});
  }
  rows.push_back({"payload", printable_or_none(record.payload)});
  print_table(out, rows);
}

}  // namespace spillway::program
