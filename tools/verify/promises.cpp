#include "verify/promises.hpp"

#include <array>

namespace spillway::verify {

std::string number_of(Promise promise) {
  return 'P' + std::to_string(index_of(promise) + 1);
}

std::string_view title_of(Promise promise) noexcept {
  constexpr std::array<std::string_view, promises> titles{
      "publisher order",
      "causal order",
      "stream order",
      "no loss",
      "nothing invented or altered",
      "one record, one position",
      "seqs without a gap",
      "no unexplained duplicate",
      "duplicates are stutters",
      "conservation",
      "true outcomes",
      "bounded memory",
      "publish() never waits",
      "wakeup after the commit",
      "release and return",
      "dead letters are kept",
      "one relay per stream",
      "deletes the acked prefix",
      "no needless spill",
      "live again",
      "honest close",
  };
  return titles[index_of(promise)];
}

std::string_view name_of(Judgement judgement) noexcept {
  switch (judgement) {
    case Judgement::holds:
      return "holds";
    case Judgement::violated:
      return "VIOLATED";
    case Judgement::not_judged:
      return "not judged";
  }
  return "";
}

}  // namespace spillway::verify
