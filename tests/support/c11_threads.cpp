// tests/support/c11_threads.cpp: C11's threads in terms of POSIX's, for ThreadSanitizer.
//
// librdkafka starts threads and locks through <threads.h>, which GCC 12's ThreadSanitizer does not
// intercept: it crashes in a thread that it has not seen start. glibc's own versions are these same
// calls (nptl/thrd_create.c, mtx_lock.c, cnd_wait.c); linked into a program they come before
// glibc's.

#include <cerrno>
#include <cstdint>
#include <memory>

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name, readability-identifier-naming,
//             bugprone-reserved-identifier, performance-no-int-to-ptr): the names, and the result
//             in a pointer, are C's.

#include <pthread.h>
#include <threads.h>
#include <time.h>

namespace {

struct Start {
  thrd_start_t function;
  void* argument;
};

void* run(void* start) {
  const std::unique_ptr<Start> owned{static_cast<Start*>(start)};
  const auto result = static_cast<std::intptr_t>(owned->function(owned->argument));
  return reinterpret_cast<void*>(result);
}

// glibc's two types have one layout (sysdeps/nptl/thrd.h: static_assert on both).
pthread_mutex_t* posix(mtx_t* mutex) {
  return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* posix(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}

int answer(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case EBUSY:
      return thrd_busy;
    case ETIMEDOUT:
      return thrd_timedout;
    case ENOMEM:
      return thrd_nomem;
    default:
      return thrd_error;
  }
}

}  // namespace

// The presets hide symbols; librdkafka has to find these.
#pragma GCC visibility push(default)
extern "C" {

// What librdkafka reads and writes without instrumentation is not for us to judge.
const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1";
}

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const int error = pthread_create(thread, nullptr, run, start.get());
  if (error == 0) (void)start.release();
  return answer(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  const int error = pthread_join(thread, &value);
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));
  return answer(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  const bool is_recursive = (type & mtx_recursive) != 0;
  pthread_mutexattr_settype(&attributes,
                            is_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
  const int error = pthread_mutex_init(posix(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return answer(error);
}
void mtx_destroy(mtx_t* mutex) {
  pthread_mutex_destroy(posix(mutex));
}
int mtx_lock(mtx_t* mutex) {
  return answer(pthread_mutex_lock(posix(mutex)));
}
int mtx_trylock(mtx_t* mutex) {
  return answer(pthread_mutex_trylock(posix(mutex)));
}
int mtx_unlock(mtx_t* mutex) {
  return answer(pthread_mutex_unlock(posix(mutex)));
}

int cnd_init(cnd_t* condition) {
  return answer(pthread_cond_init(posix(condition), nullptr));
}
void cnd_destroy(cnd_t* condition) {
  pthread_cond_destroy(posix(condition));
}
int cnd_signal(cnd_t* condition) {
  return answer(pthread_cond_signal(posix(condition)));
}
int cnd_broadcast(cnd_t* condition) {
  return answer(pthread_cond_broadcast(posix(condition)));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return answer(pthread_cond_wait(posix(condition), posix(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return answer(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}

}  // extern "C"
#pragma GCC visibility pop

// NOLINTEND(readability-inconsistent-declaration-parameter-name, readability-identifier-naming,
//           bugprone-reserved-identifier, performance-no-int-to-ptr)
