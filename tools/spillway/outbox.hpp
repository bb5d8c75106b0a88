// tools/spillway/outbox.hpp: the parts of `spillway outbox`.

#pragma once

#include <CLI/CLI.hpp>

#include "command.hpp"

namespace spillway::program {

void add_outbox_ls(CLI::App& outbox, ExitCode& exit);
void add_outbox_show(CLI::App& outbox, ExitCode& exit);
void add_outbox_dead(CLI::App& outbox, ExitCode& exit);
void add_outbox_replay(CLI::App& outbox, ExitCode& exit);

}  // namespace spillway::program
