#include "crash/ledger.hpp"

#include <cerrno>
#include <new>
#include <system_error>

#include <sys/mman.h>

namespace spillway::crash {

SharedLedger::SharedLedger() {
  void* const at =
      ::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
  ledger_ = new (at) Ledger;
}

void SharedLedger::clear() noexcept {
  for (AcceptLog& log : ledger_->publisher) {
    log.begun = 0;
    log.accepted = 0;
  }
  ledger_->order = 0;
  ledger_->sent_count = 0;
}

SharedLedger::~SharedLedger() {
  ::munmap(ledger_, sizeof(Ledger));
}

}  // namespace spillway::crash
