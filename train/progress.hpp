#pragma once
// A progress bar around any range of known size.

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/backward_observer.hpp"

namespace xgrad {

namespace detail {

/// What a progress bar shows.
struct ProgressState {
  std::int64_t done = 0, total = 0;
  std::int64_t done_before = 0;                        // of those done: before the start
  double seconds = 0;                                  // since the start
  std::vector<std::pair<std::string, double>> values;  // shown after the times
};

/// One line of at most `width` columns.
std::string progress_line(const ProgressState& state, int width, bool unicode);

/// Of standard error: whether it is a terminal that can redraw a line, how wide it is, and whether it shows Unicode.
bool is_terminal();
int terminal_width();
bool terminal_shows_unicode();

/// Draws on standard error when that is a terminal, and nothing otherwise. While it does, it looks on at backward().
class ProgressBar final : BackwardObserver {
 public:
  ~ProgressBar() { finish(); }
  void start(std::int64_t total);
  void advance();
  /// Removes the line.
  void finish() noexcept;
  void show(std::string_view name, double value);

 private:
  void draw(double now);
  void saw_backward(const Tensor& root) override;

  ProgressState state_;
  bool drawing_ = false;
  double loss_ = 0;                 // the last one of this loop, NaN before
  double started_ = 0, drawn_ = 0;  // seconds on a steady clock
};

}  // namespace detail

/// A range that shows how far a loop over it is; made by progress().
template <class Range>  // a reference, or the range itself
class Progress {
 public:
  explicit Progress(Range&& range) : range_(std::forward<Range>(range)) {}

  class Iterator {
   public:
    using Base = decltype(std::begin(std::declval<std::remove_reference_t<Range>&>()));

    Iterator(Base base, detail::ProgressBar& bar) : base_(std::move(base)), bar_(&bar) {}
    Iterator(Iterator&& other) noexcept(std::is_nothrow_move_constructible_v<Base>)
        : base_(std::move(other.base_)), bar_(std::exchange(other.bar_, nullptr)) {}
    ~Iterator() {
      if (bar_) bar_->finish();  // the loop has ended, be it by `break` or an exception
    }

    decltype(auto) operator*() const { return *base_; }
    Iterator& operator++() {
      ++base_;
      bar_->advance();
      return *this;
    }
    template <class Sentinel>
    friend bool operator!=(const Iterator& iterator, const Sentinel& end) {
      return iterator.base_ != end;
    }

   private:
    Base base_;
    detail::ProgressBar* bar_;
  };

  Iterator begin() {
    bar_.start(static_cast<std::int64_t>(std::size(range_)));
    return Iterator(std::begin(range_), bar_);
  }
  auto end() { return std::end(range_); }

  /// Shows a value of your own from now on.
  Progress& show(std::string_view name, double value) {
    bar_.show(name, value);
    return *this;
  }

 private:
  Range range_;
  detail::ProgressBar bar_;
};

/// Goes through `range`, which has a size, and shows on standard error a bar, the number of steps done, their rate, the
/// time left and the last loss, the value of the last scalar on which this thread called backward(). The line adapts to
/// the width of the terminal, is drawn at most 20 times a second, and is gone when the loop ends in whatever way.
/// When standard error is no terminal, nothing is written. A temporary range is kept, a named one is referred to.
///
///     for (const auto& [x, y] : progress(loader)) ...
///
///     auto bar = progress(loader);
///     for (const auto& [x, y] : bar) bar.show("accuracy", accuracy);
template <class Range>
Progress<Range> progress(Range&& range) {
  return Progress<Range>(std::forward<Range>(range));
}

}  // namespace xgrad
