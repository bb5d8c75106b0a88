#include "costs.hpp"

#include <cstddef>
#include <new>

#include <dlfcn.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// Each thread's own; never constructed, so that the allocator may count in it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): malloc() takes no argument.
constinit thread_local std::uint64_t allocations = 0;

template <class Function>
Function next_of(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void* required(void* memory) {
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

// ---- The allocator, for the whole program ----

#pragma GCC visibility push(default)
// NOLINTBEGIN(cppcoreguidelines-no-malloc, cppcoreguidelines-owning-memory,
//             readability-inconsistent-declaration-parameter-name, misc-new-delete-overloads)
extern "C" {
void* malloc(std::size_t bytes) noexcept {
  static const auto next = next_of<void* (*)(std::size_t)>("malloc");
  ++allocations;
  return next(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  static const auto next = next_of<void* (*)(std::size_t, std::size_t)>("calloc");
  ++allocations;
  return next(count, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
  static const auto next = next_of<void* (*)(void*, std::size_t)>("realloc");
  ++allocations;
  return next(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  static const auto next = next_of<void* (*)(std::size_t, std::size_t)>("aligned_alloc");
  ++allocations;
  return next(alignment, bytes);
}
}

// mimalloc's own would not come through malloc(); its operators delete free what these return.
void* operator new(std::size_t bytes) {
  return required(malloc(bytes));
}
void* operator new[](std::size_t bytes) {
  return required(malloc(bytes));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return required(aligned_alloc(static_cast<std::size_t>(alignment), bytes));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return required(aligned_alloc(static_cast<std::size_t>(alignment), bytes));
}
// std::stable_sort asks for its buffer this way.
void* operator new(std::size_t bytes, const std::nothrow_t& /*how*/) noexcept {
  return malloc(bytes);
}
// NOLINTEND(cppcoreguidelines-no-malloc, cppcoreguidelines-owning-memory,
//           readability-inconsistent-declaration-parameter-name, misc-new-delete-overloads)
#pragma GCC visibility pop

namespace spillway::bench {
namespace {

// Of this thread, in user mode; -1 where the kernel or the machine has no such counter.
int open_instruction_counter() {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_HARDWARE;
  wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  constexpr int this_thread = 0;
  constexpr int any_cpu = -1;
  constexpr int no_group = -1;
  return static_cast<int>(::syscall(SYS_perf_event_open, &wanted, this_thread, any_cpu, no_group,
                                    PERF_FLAG_FD_CLOEXEC));
}

benchmark::Counter for_each(double total, std::uint64_t operations) {
  return {total / static_cast<double>(operations), benchmark::Counter::kAvgThreads};
}

}  // namespace

Costs::Costs() : instructions_{open_instruction_counter()}, allocations_before_{allocations} {
  if (instructions_ >= 0) ::ioctl(instructions_, PERF_EVENT_IOC_RESET, 0);
}

Costs::~Costs() {
  if (instructions_ >= 0) ::close(instructions_);
}

void Costs::report(benchmark::State& state, std::uint64_t operations) {
  std::uint64_t instructions = 0;
  const bool counted = instructions_ >= 0 && ::read(instructions_, &instructions,
                                                    sizeof instructions) == sizeof instructions;
  const std::uint64_t allocated = allocations - allocations_before_;
  state.counters["allocations"] = for_each(static_cast<double>(allocated), operations);
  if (counted) {
    state.counters["instructions"] = for_each(static_cast<double>(instructions), operations);
  }
}

}  // namespace spillway::bench
