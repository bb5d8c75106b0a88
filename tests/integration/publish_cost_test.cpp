// tests/integration/publish_cost_test.cpp: guards P13: publish() allocates nothing, locks nothing
// and makes no system call, on the healthy path and while the lanes spill.
//
// Counted, not read off the code: the allocator and pthread's locks are this program's own (below),
// and the kernel traps every system call of the publisher's thread (seccomp).

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace {

struct Counts {
  std::uint64_t allocations = 0;
  std::uint64_t locks = 0;
  std::uint64_t system_calls = 0;

  friend Counts operator-(const Counts& now, const Counts& before) noexcept {
    return {.allocations = now.allocations - before.allocations,
            .locks = now.locks - before.locks,
            .system_calls = now.system_calls - before.system_calls};
  }
};
// Each thread's own; none is ever constructed, so that the allocator may count in it.
constinit thread_local Counts counts;

template <class Function>
Function next_of(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

// Nothing is called: what the thread wants of the kernel is counted, and fails.
void on_trap(int /*signal*/, siginfo_t* /*info*/, void* context) {
  ++counts.system_calls;
  mcontext_t& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#ifdef __aarch64__
  registers.regs[0] = static_cast<unsigned long long>(-ENOSYS);
#else
  registers.gregs[REG_RAX] = -ENOSYS;
#endif
}

}  // namespace

// ---- The allocator and the locks, for the whole program: operator new comes here too
// --------------

#pragma GCC visibility push(default)
// NOLINTBEGIN(cppcoreguidelines-no-malloc, cppcoreguidelines-owning-memory,
//             readability-identifier-naming, bugprone-reserved-identifier,
//             readability-inconsistent-declaration-parameter-name)
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) noexcept {
  ++counts.allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  ++counts.allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
  ++counts.allocations;
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  ++counts.allocations;
  return __libc_memalign(alignment, bytes);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const auto lock = next_of<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  ++counts.locks;
  return lock(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static const auto lock = next_of<int (*)(pthread_mutex_t*)>("pthread_mutex_trylock");
  ++counts.locks;
  return lock(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* mutex) noexcept {
  static const auto lock = next_of<int (*)(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  ++counts.locks;
  return lock(mutex);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* mutex) noexcept {
  static const auto lock = next_of<int (*)(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  ++counts.locks;
  return lock(mutex);
}
}
// NOLINTEND(cppcoreguidelines-no-malloc, cppcoreguidelines-owning-memory,
//           readability-identifier-naming, bugprone-reserved-identifier,
//           readability-inconsistent-declaration-parameter-name)
#pragma GCC visibility pop

namespace spillway::test {
namespace {

/// From here on each system call of this thread is trapped, but for those that end the thread and
/// return from the trap. There is no way back.
void trap_system_calls() {
  struct sigaction action = {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  ASSERT_EQ(::sigaction(SIGSYS, &action, nullptr), 0);
  const auto allow = [](int call) -> std::array<sock_filter, 2> {
    return {sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
            sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  };
  const auto sigreturn = allow(SYS_rt_sigreturn);
  const auto exit_thread = allow(SYS_exit);
  const auto exit_all = allow(SYS_exit_group);
  std::array<sock_filter, 8> filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sigreturn[0],
      sigreturn[1],
      exit_thread[0],
      exit_thread[1],
      exit_all[0],
      exit_all[1],
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

class PublishCost : public OnRealStack {
 protected:
  static constexpr std::uint64_t calls = 1'000'000;

  // All million fit into the journal: what is counted does not hang on how fast Kafka is.
  Config settings() {
    Config settings = config();
    settings.journal.size_bytes = std::size_t{256} << 20;
    // A machine at its limit is no outage, and neither is a disk that stops for seconds.
    settings.lanes.failover_after = 30s;
    settings.kafka.properties["socket.timeout.ms"] = "30000";
    settings.close_within = 0s;
    return settings;
  }

  /// What `calls` calls of publish() cost a thread of their own.
  static Counts publish_a_million(Pipeline& pipeline, Topic topic) {
    Publisher publisher = pipeline.publisher();
    Counts seen;
    std::thread{[&] { seen = publish(publisher, topic); }}.join();
    // As fast as it can, so far ahead of the lanes, which have to number them yet.
    EXPECT_TRUE(eventually(patience, [&pipeline] {
      return sum(pipeline.counters(), &LaneMetrics::accepted) == warm_up + calls;
    }));
    return seen;
  }

  /// Recorded too: perf/run prints what was counted.
  static void expect_free(const Counts& seen) {
    RecordProperty("allocations", std::to_string(seen.allocations));
    RecordProperty("locks", std::to_string(seen.locks));
    RecordProperty("system_calls", std::to_string(seen.system_calls));
    EXPECT_EQ(seen.allocations, 0);
    EXPECT_EQ(seen.locks, 0);
    EXPECT_EQ(seen.system_calls, 0);
  }

 private:
  static constexpr std::uint64_t warm_up = 10'000;

  static Counts publish(Publisher& publisher, Topic topic) {
    const std::string payload(100, 'x');
    const std::array<std::string_view, 4> keys{"k0", "k1", "k2", "k3"};
    const std::array headers{Header{.name = "trace", .value = bytes_of("0123456789abcdef")}};
    Counts before;
    for (std::uint64_t n = 0; n < warm_up + calls; ++n) {
      if (n == warm_up) {
        trap_system_calls();
        before = counts;
      }
      static_cast<void>(
          publisher.publish(topic, keys[n % keys.size()], bytes_of(payload), headers));
    }
    return counts - before;
  }
};

// Else the zeros below would prove nothing.
TEST_F(PublishCost, CountsWhatAThreadDoes) {
  Counts seen;
  std::thread{[&seen] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    const std::string before_the_trap(100,
                                      'x');  // a thread's first allocation asks the kernel for more
    trap_system_calls();
    const Counts before = counts;
    const std::string text(100, 'x');
    pthread_mutex_lock(&mutex);
    ::syscall(SYS_getppid, text.data(), before_the_trap.data());
    seen = counts - before;
  }}.join();

  EXPECT_EQ(seen.allocations, 1);
  EXPECT_EQ(seen.locks, 1);
  EXPECT_EQ(seen.system_calls, 1);
}

TEST_F(PublishCost, IsNoAllocationNoLockAndNoSystemCallOnTheHealthyPath) {
  Pipeline pipeline = Pipeline::open(settings());
  const Topic topic = pipeline.topic(topic_name());

  const Counts seen = publish_a_million(pipeline, topic);

  expect_free(seen);
  EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  EXPECT_EQ(sum(pipeline.counters(), &LaneMetrics::trips), 0);
}

TEST_F(PublishCost, IsTheSameWhileTheLanesSpill) {
  Config spilling = settings();
  spilling.lanes.force_spill = {0, 1};
  spilling.relay.enabled = false;
  Pipeline pipeline = Pipeline::open(spilling);
  const Topic topic = pipeline.topic(topic_name());

  const Counts seen = publish_a_million(pipeline, topic);

  expect_free(seen);
  EXPECT_EQ(pipeline.counters().delivered, 0);
}

}  // namespace
}  // namespace spillway::test
