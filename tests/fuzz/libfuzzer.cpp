// tests/fuzz/libfuzzer.cpp: one target as libFuzzer calls it; which, the build says.

#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spillway::fuzz::SPILLWAY_FUZZ_TARGET(std::as_bytes(std::span{data, size}));
  return 0;
}
