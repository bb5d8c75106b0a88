// src/loops/writer_messages.hpp: what a lane asks of the outbox writer, and what it is told.
//
// Jobs are done in the order in which they were sent, each exactly once, and reported in that
// order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/ids.hpp"
#include "ports/outbox_store.hpp"

namespace spillway::loops {

enum class JobKind : std::uint8_t {
  row,          ///< `record` to the outbox, under `seq`.
  dead_letter,  ///< `record` to the dead letters, with `error`.
  release,      ///< The held rows are resolved as `release` says.
  withdraw,  ///< Give the rows back that were not begun, if Postgres is away. Not reported as done.
};

struct ReleaseOrder {
  core::Seq held_through;
  std::vector<ports::Unfinished> unfinished;
};

struct WriterJob {
  JobKind kind = JobKind::row;
  bool held = false;
  core::ResendCause resend = core::ResendCause::none;
  core::RecordOffset record;
  core::Seq seq;
  const char* error = "";  ///< Static.
  std::unique_ptr<const ReleaseOrder> release;
};

enum class WriterReportKind : std::uint8_t {
  done,       ///< The oldest `jobs` are COMMITted.
  withdrawn,  ///< The youngest `jobs` were not begun and are forgotten: the answer to withdraw,
              ///< maybe 0.
  stream,  ///< What Postgres says of the stream now; the first one after a start also means: asked.
  gate_opened,  ///< Every stream of the old number of lanes is out of the outbox.
};

struct WriterReport {
  WriterReportKind kind = WriterReportKind::done;
  std::size_t jobs = 0;
  core::Seq written_through = {};
  core::Seq relayed_through = {};
};

}  // namespace spillway::loops
