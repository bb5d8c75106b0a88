// tests/support/sim/mortal_ports.hpp: the ports of one process, which may die inside a call.
//
// A process that is dead goes on to the end of its step, as nothing else can be done with one
// thread; but none of its calls has any effect any more, and what its journal held at the moment of
// death was saved by `on_death`. So between any two things that the outside can see there is a
// crash.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "ports/broker_supply.hpp"
#include "ports/outbox_store.hpp"
#include "ports/relay_store.hpp"
#include "ports/wakeup_channel.hpp"

namespace spillway::sim {

/// Told of what a process asks for, before it happens.
class PortWatch {
 public:
  PortWatch() = default;
  PortWatch(const PortWatch&) = delete;
  PortWatch& operator=(const PortWatch&) = delete;
  virtual ~PortWatch() = default;
  /// `producer` is another one for each producer.
  virtual void on_submit(std::uint64_t producer, const ports::Submission& record) = 0;
  virtual void on_rows(core::LaneIndex lane, std::span<const ports::OutboxRow> rows) = 0;
  virtual void on_release_unknown(core::LaneIndex lane) = 0;
  virtual void on_notify() = 0;
};

/// Where in its run a process died.
enum class PortCall : std::uint8_t {
  none,
  submit,
  reports,
  recall,
  write_rows,
  write_letters,
  release,
  hear_outbox,
  notify,
  scan,
  read,
  finish,
  give_up,
  hear_relay,
};
inline constexpr std::size_t port_call_count = 14;

class Life {
 public:
  /// In the `calls`-th call of a kind from now (`none`: of any), before or after its effect.
  void end_in(PortCall kind, std::uint64_t calls, bool after_effect,
              std::function<void()> on_death) {
    kind_ = kind;
    left_ = calls;
    after_ = after_effect;
    on_death_ = std::move(on_death);
  }
  [[nodiscard]] bool is_over() const noexcept { return over_; }
  [[nodiscard]] PortCall ended_in() const noexcept { return ended_in_; }

  /// Runs `effect` unless dead; `dead` is what a dead process is answered.
  template <class Effect, class Answer>
  Answer call(PortCall which, Effect effect, Answer dead) {
    if (over_) return dead;
    const bool counts = left_ != 0 && (kind_ == PortCall::none || kind_ == which);
    const bool is_last = counts && --left_ == 0;
    if (is_last && !after_) {
      end(which);
      return dead;
    }
    if (!is_last) return effect();
    static_cast<void>(effect());
    end(which);
    return dead;
  }
  template <class Effect>
  void call(PortCall which, Effect effect) {
    static_cast<void>(call(
        which,
        [&effect] {
          effect();
          return true;
        },
        false));
  }

 private:
  void end(PortCall where) {
    over_ = true;
    ended_in_ = where;
    if (on_death_) on_death_();
  }

  PortCall kind_ = PortCall::none;
  std::uint64_t left_ = 0;  // 0: for ever
  bool after_ = false;
  bool over_ = false;
  PortCall ended_in_ = PortCall::none;
  std::function<void()> on_death_;
};

/// What a process is given with its ports.
struct Process {
  Life life;
  PortWatch* watch = nullptr;
  std::uint64_t producers = 0;  ///< Made so far.
};

class MortalBroker final : public ports::Broker {
 public:
  MortalBroker(Process& process, std::unique_ptr<ports::Broker> broker)
      : process_{process}, broker_{std::move(broker)}, number_{++process.producers} {}

  [[nodiscard]] ports::TopicHandle open_topic(std::string_view name) override {
    return broker_->open_topic(name);
  }
  [[nodiscard]] ports::SubmitResult submit(const ports::Submission& record) noexcept override {
    return process_.life.call(
        PortCall::submit,
        [&] {
          const ports::SubmitResult result = broker_->submit(record);
          if (process_.watch != nullptr && result == ports::SubmitResult::accepted) {
            process_.watch->on_submit(number_, record);
          }
          return result;
        },
        ports::SubmitResult::busy);
  }
  [[nodiscard]] const char* refusal() const noexcept override { return broker_->refusal(); }
  [[nodiscard]] std::size_t poll(std::span<ports::Report> reports) noexcept override {
    if (process_.life.is_over()) return 0;
    const std::size_t count = broker_->poll(reports);
    // Only a call that hears something is a moment to die in.
    return count == 0 ? 0
                      : process_.life.call(
                            PortCall::reports, [count] { return count; }, count);
  }
  [[nodiscard]] std::vector<std::uint64_t> take_back() override {
    return process_.life.call(
        PortCall::recall, [this] { return broker_->take_back(); }, std::vector<std::uint64_t>{});
  }
  void recall() noexcept override {
    process_.life.call(PortCall::recall, [this] { broker_->recall(); });
  }
  [[nodiscard]] ports::BrokerHealth health() const noexcept override { return broker_->health(); }
  [[nodiscard]] std::size_t batch_bytes_max() const noexcept override {
    return broker_->batch_bytes_max();
  }
  [[nodiscard]] ports::Broker& inner() noexcept { return *broker_; }

 private:
  Process& process_;
  std::unique_ptr<ports::Broker> broker_;
  std::uint64_t number_;
};

class MortalOutbox final : public ports::OutboxStore {
 public:
  MortalOutbox(Process& process, ports::OutboxStore& store) : process_{process}, store_{store} {}

  [[nodiscard]] ports::StoreEvent poll(core::Instant now) noexcept override {
    if (process_.life.is_over()) return {};
    const ports::StoreEvent event = store_.poll(now);
    if (event.kind == ports::StoreEventKind::none) return event;
    return process_.life.call(
        PortCall::hear_outbox, [&event] { return event; }, ports::StoreEvent{});
  }
  [[nodiscard]] bool is_idle() const noexcept override {
    return !process_.life.is_over() && store_.is_idle();
  }
  void write_rows(core::LaneIndex lane, std::span<const ports::OutboxRow> rows) override {
    process_.life.call(PortCall::write_rows, [&] {
      if (process_.watch != nullptr) process_.watch->on_rows(lane, rows);
      store_.write_rows(lane, rows);
    });
  }
  void write_dead_letters(core::LaneIndex lane,
                          std::span<const ports::DeadLetterRow> letters) override {
    process_.life.call(PortCall::write_letters, [&] { store_.write_dead_letters(lane, letters); });
  }
  void release(core::LaneIndex lane, core::Seq held_through,
               std::span<const ports::Unfinished> unfinished) override {
    process_.life.call(PortCall::release, [&] { store_.release(lane, held_through, unfinished); });
  }
  void release_unknown(core::LaneIndex lane) override {
    process_.life.call(PortCall::release, [&] {
      if (process_.watch != nullptr) process_.watch->on_release_unknown(lane);
      store_.release_unknown(lane);
    });
  }
  void read_progress() override {
    if (!process_.life.is_over()) store_.read_progress();
  }

 private:
  Process& process_;
  ports::OutboxStore& store_;
};

class MortalSender final : public ports::WakeupSender {
 public:
  MortalSender(Process& process, ports::WakeupSender& sender)
      : process_{process}, sender_{sender} {}

  void notify() noexcept override {
    process_.life.call(PortCall::notify, [this] {
      if (process_.watch != nullptr) process_.watch->on_notify();
      sender_.notify();
    });
  }
  void poll(core::Instant now) noexcept override {
    if (!process_.life.is_over()) sender_.poll(now);
  }
  [[nodiscard]] bool is_up() const noexcept override { return sender_.is_up(); }

 private:
  Process& process_;
  ports::WakeupSender& sender_;
};

class MortalRelayStore final : public ports::RelayStore {
 public:
  MortalRelayStore(Process& process, ports::RelayStore& store) : process_{process}, store_{store} {}

  [[nodiscard]] ports::RelayEvent poll(core::Instant now) noexcept override {
    if (process_.life.is_over()) return {};
    ports::RelayEvent event = store_.poll(now);
    if (event.kind == ports::RelayEventKind::none) return event;
    return process_.life.call(
        PortCall::hear_relay, [&event] { return event; }, ports::RelayEvent{});
  }
  [[nodiscard]] bool is_idle() const noexcept override {
    return !process_.life.is_over() && store_.is_idle();
  }
  void scan(core::Instant now) override {
    process_.life.call(PortCall::scan, [&] { store_.scan(now); });
  }
  void read(core::StreamId stream, core::Seq after, std::size_t rows_max,
            std::size_t bytes_max) override {
    process_.life.call(PortCall::read, [&] { store_.read(stream, after, rows_max, bytes_max); });
  }
  void finish(core::StreamId stream, core::Seq from, core::Seq through,
              std::span<const ports::RelayDeadLetter> dead) override {
    process_.life.call(PortCall::finish, [&] { store_.finish(stream, from, through, dead); });
  }
  void give_up(core::StreamId stream) override {
    process_.life.call(PortCall::give_up, [&] { store_.give_up(stream); });
  }

 private:
  Process& process_;
  ports::RelayStore& store_;
};

}  // namespace spillway::sim
