#include "spillway/outbox.hpp"

#include <chrono>
#include <utility>

#include "adapters/postgres/outbox_admin.hpp"
#include "adapters/postgres/schema_sql.hpp"
#include "core/header_block.hpp"
#include "core/position.hpp"
#include "runtime/server_settings.hpp"

namespace spillway {
namespace {

using Microseconds = std::chrono::sys_time<std::chrono::microseconds>;

Microseconds microseconds_of(core::UnixTime time) {
  return Microseconds{
      std::chrono::floor<std::chrono::microseconds>(std::chrono::nanoseconds{time.ns})};
}

std::optional<std::string> text_of(const std::optional<Bytes>& bytes) {
  std::optional<std::string> text;
  // Bytes may be looked at as characters.
  if (bytes) text.emplace(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  return text;
}

OutboxRecord record_of(const postgres::AdminRecord& stored) {
  core::PositionText position;
  OutboxRecord record;
  record.position = core::format_position(stored.stream, stored.seq, position);
  record.topic = stored.topic;
  record.key = stored.key;
  record.payload = stored.payload;
  core::HeaderReader reader{bytes_of(stored.headers)};
  while (true) {
    const auto header = reader.next();
    if (!header) break;
    record.headers.emplace_back(header->name, text_of(header->value));
  }
  record.accepted_at = microseconds_of(stored.accepted_at);
  record.stored_at = microseconds_of(stored.stored_at);
  if (stored.event_time_ms) {
    record.event_time = EventTime{std::chrono::milliseconds{*stored.event_time_ms}};
  }
  record.held = stored.held;
  record.resend = stored.resend;
  record.attempts = stored.attempts;
  record.error = stored.error;
  return record;
}

OutboxStream stream_of(const postgres::AdminStream& stored) {
  OutboxStream stream;
  stream.instance = stored.id.instance.value;
  stream.lane = stored.id.lane.value;
  stream.rows = stored.rows;
  stream.held = stored.held;
  stream.written_through = stored.written_through.value;
  stream.relayed_through = stored.relayed_through.value;
  stream.owner_alive = stored.owner_alive;
  stream.leased = stored.leased;
  if (stored.oldest) stream.oldest = microseconds_of(*stored.oldest);
  return stream;
}

}  // namespace

std::string_view schema_sql() noexcept {
  return postgres::schema_text();
}

struct Outbox::Impl {
  postgres::OutboxAdmin admin;
};

Outbox Outbox::open(const Config& config) {
  return Outbox{std::make_unique<Impl>(Impl{postgres::OutboxAdmin{
      config.postgres.conninfo,
      runtime::read_secret(config.postgres.password_file, "postgres.password_file"),
      config.postgres.connect_within}})};
}

Outbox::Outbox(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Outbox::Outbox(Outbox&& other) noexcept = default;
Outbox& Outbox::operator=(Outbox&& other) noexcept = default;
Outbox::~Outbox() = default;

void Outbox::apply_schema() {
  impl_->admin.apply_schema();
}

std::vector<OutboxStream> Outbox::streams() {
  std::vector<OutboxStream> streams;
  for (const postgres::AdminStream& stored : impl_->admin.streams()) {
    streams.push_back(stream_of(stored));
  }
  return streams;
}

void Outbox::for_each_row(std::size_t limit,
                          const std::function<void(const OutboxRecord&)>& visit) {
  impl_->admin.for_each_row(limit, [&](const auto& stored) { visit(record_of(stored)); });
}

void Outbox::for_each_dead_letter(std::size_t limit,
                                  const std::function<void(const OutboxRecord&)>& visit) {
  impl_->admin.for_each_dead_letter(limit, [&](const auto& stored) { visit(record_of(stored)); });
}

std::optional<OutboxRecord> Outbox::find(std::string_view position) {
  const auto parsed = core::parse_position(position);
  if (!parsed) return std::nullopt;
  const auto stored = impl_->admin.find(parsed->stream, parsed->seq);
  if (!stored) return std::nullopt;
  return record_of(*stored);
}

bool Outbox::remove_dead_letter(std::string_view position) {
  const auto parsed = core::parse_position(position);
  return parsed && impl_->admin.remove_dead_letter(parsed->stream, parsed->seq);
}

}  // namespace spillway
