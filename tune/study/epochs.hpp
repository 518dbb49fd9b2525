#pragma once
// Epochs of training that can be paused, resumed and forked.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../../train/stateful.hpp"

namespace xgrad::tune {

namespace detail {
struct OpenTrial;
}  // namespace detail

/// Puts objects into the state that an epochs() range saved, which may have more of them.
void restore_some(const std::vector<Stateful>& objects, const std::string& bytes);

/// The range that Trial::epochs() gives.
class Epochs {
 public:
  class Iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;

    int operator*() const { return epoch_; }
    Iterator& operator++() {
      epoch_ = range_->after(epoch_);
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) {
      return iterator.epoch_ > iterator.count_;
    }

   private:
    friend class Epochs;
    Iterator(Epochs& range, int epoch) : range_(&range), epoch_(epoch), count_(range.count_) {}
    Epochs* range_;
    int epoch_, count_;
  };

  /// Restores the objects, where there is something to restore.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  Epochs(std::shared_ptr<detail::OpenTrial> trial, int count, std::vector<Stateful> objects);

 private:
  int after(int epoch);  // the next one, or count_ + 1
  std::string state() const;
  void restore(const std::string& bytes, bool own_lr);

  std::shared_ptr<detail::OpenTrial> trial_;
  int count_;
  std::vector<Stateful> objects_;
};

}  // namespace xgrad::tune
