// src/core/ring_queue.hpp: a FIFO that grows to what is needed and then allocates no more.

#pragma once

#include <bit>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/check.hpp"

namespace spillway::core {

/// Elements are numbered by position: [0] is the oldest.
template <class Element>
class RingQueue {
 public:
  explicit RingQueue(std::size_t capacity = 16) : ring_(std::bit_ceil(capacity)) {}

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  [[nodiscard]] Element& operator[](std::size_t i) noexcept {
    SPILLWAY_CHECK(i < size_);
    return ring_[(head_ + i) & (ring_.size() - 1)];
  }
  [[nodiscard]] const Element& operator[](std::size_t i) const noexcept {
    SPILLWAY_CHECK(i < size_);
    return ring_[(head_ + i) & (ring_.size() - 1)];
  }
  [[nodiscard]] Element& front() noexcept { return (*this)[0]; }
  [[nodiscard]] const Element& front() const noexcept { return (*this)[0]; }
  [[nodiscard]] Element& back() noexcept { return (*this)[size_ - 1]; }
  [[nodiscard]] const Element& back() const noexcept { return (*this)[size_ - 1]; }

  void push_back(Element element) {
    grow_if_full();
    ring_[(head_ + size_) & (ring_.size() - 1)] = std::move(element);
    ++size_;
  }
  void push_front(Element element) {
    grow_if_full();
    head_ = (head_ + ring_.size() - 1) & (ring_.size() - 1);
    ring_[head_] = std::move(element);
    ++size_;
  }
  Element pop_front() noexcept {
    SPILLWAY_CHECK(size_ != 0);
    Element element = std::move(ring_[head_]);
    head_ = (head_ + 1) & (ring_.size() - 1);
    --size_;
    return element;
  }
  void drop_front() noexcept {
    SPILLWAY_CHECK(size_ != 0);
    if constexpr (!std::is_trivially_destructible_v<Element>) ring_[head_] = Element{};
    head_ = (head_ + 1) & (ring_.size() - 1);
    --size_;
  }
  Element pop_back() noexcept {
    SPILLWAY_CHECK(size_ != 0);
    --size_;
    return std::move(ring_[(head_ + size_) & (ring_.size() - 1)]);
  }
  void clear() noexcept {
    while (!empty())
      static_cast<void>(pop_front());
  }

 private:
  void grow_if_full() {
    if (size_ != ring_.size()) return;
    std::vector<Element> larger(ring_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i)
      larger[i] = std::move((*this)[i]);
    ring_ = std::move(larger);
    head_ = 0;
  }

  std::vector<Element> ring_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace spillway::core
