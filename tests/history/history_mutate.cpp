// tests/history/history_mutate.cpp: rebuilds one mutated history and prints what the checker says.
//
// usage: history-mutate --id=M25 --seed=N [--records=N]
//
//   --id       M1 to M79, D1 to D6, S1 to S8; left out: the true history
//   --records  how many calls at most; default: those of the test
//
// Exit codes as of `spillway verify`; 2 also when the seed's history has no site for the change.

#include <charconv>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

#include "history/mutation.hpp"
#include "history/true_history.hpp"
#include "verify/report.hpp"

namespace {

using namespace spillway;

struct Options {
  std::string_view id;
  std::uint64_t seed = 0;
  std::uint64_t records = 300;
};

bool parse(std::string_view word, std::string_view name, std::uint64_t& value) {
  if (!word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

// Applies the change of that id; false: there is none, or no site.
bool apply(std::string_view id, verify::History& history, std::uint64_t seed) {
  history::Random random{seed};
  if (id.empty()) return true;
  for (const history::Mutation& mutation : history::all_mutations()) {
    if (mutation.id == id) return mutation.apply(history, random);
  }
  for (const auto& list : {history::all_damages(), history::all_silent_changes()}) {
    for (const history::Damage& change : list) {
      if (change.id == id) return change.apply(history, random);
    }
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word{argv[i]};
    constexpr std::string_view id = "--id=";
    if (word.starts_with(id)) {
      options.id = word.substr(id.size());
    } else if (!parse(word, "--seed=", options.seed) &&
               !parse(word, "--records=", options.records)) {
      std::cerr << "usage: history-mutate --id=M25 --seed=N [--records=N]\n";
      return 2;
    }
  }
  verify::History history = history::true_history(options.seed, options.records);
  if (!apply(options.id, history, options.seed)) {
    std::cerr << "history-mutate: seed " << options.seed << " has no site for '" << options.id
              << "'\n";
    return 2;
  }
  const verify::AuditResult result = judge(history);
  std::cout << verify::text_report(result);
  switch (result.verdict()) {
    case verify::Verdict::passed:
      return 0;
    case verify::Verdict::violated:
      return 1;
    case verify::Verdict::inconclusive:
      return 4;
  }
  return 4;
}
