// tests/fuzz/fuzz_test.cpp: each target over its corpus, and over what a mutator makes of it.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fuzz/mutator.hpp"
#include "fuzz/target.hpp"

namespace spillway::fuzz {

// An address is another in each process, and would be part of the tests' names.
void PrintTo(const Target& target, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << target.name;
}

namespace {

constexpr std::uint64_t inputs = 5'000;
constexpr std::uint64_t seed = 20'261'124;

std::vector<Bytes> corpus_of(const std::string& target) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator{std::filesystem::path{SPILLWAY_FUZZ_CORPUS} / target}) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);  // a seed means the same on every machine
  std::vector<Bytes> corpus;
  for (const auto& file : files) {
    std::ostringstream content;
    content << std::ifstream{file, std::ios::binary}.rdbuf();
    const std::string text = content.str();
    const auto bytes = std::as_bytes(std::span{text});
    corpus.emplace_back(bytes.begin(), bytes.end());
  }
  return corpus;
}

class Fuzz : public testing::TestWithParam<Target> {};

TEST_P(Fuzz, HoldsOverItsCorpus) {
  const std::vector<Bytes> corpus = corpus_of(GetParam().name);

  ASSERT_FALSE(corpus.empty());
  for (const Bytes& input : corpus)
    GetParam().run(input);
}

// A target that fails ends the process: the input is left where it can be read again.
TEST_P(Fuzz, HoldsOverWhatAMutatorMakesOfIt) {
  Mutator mutator{corpus_of(GetParam().name), seed};
  const std::string kept = testing::TempDir() + "fuzz-" + GetParam().name;

  for (std::uint64_t i = 0; i < inputs; ++i) {
    const Bytes input = mutator.next();
    std::ofstream{kept, std::ios::binary}.write(reinterpret_cast<const char*>(input.data()),
                                                static_cast<std::streamsize>(input.size()));
    GetParam().run(input);
  }
  std::filesystem::remove(kept);
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, testing::ValuesIn(targets),
                         [](const auto& target) { return std::string{target.param.name}; });

}  // namespace
}  // namespace spillway::fuzz
