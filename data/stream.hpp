#pragma once
// Stream-style sets: samples that come one after the other, and nobody knows how many.

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "../array/random.hpp"
#include "collate.hpp"

namespace xgrad::data {

// A stream is a function without arguments that returns the next sample as a std::optional, none at the end. stream()
// makes one of any range; the functions below make others of it. They read on the calling thread, as far as they are
// asked, and keep no more than they say:
//
//     auto lines = [&file]() -> std::optional<std::string> {
//       std::string line;
//       return std::getline(file, line) ? std::optional(line) : std::nullopt;
//     };
//     for (const auto& [x, y] : data::batched(data::shuffled(data::map(lines, parse), 10000, 0), 64)) ...

template <class S>
concept Stream = std::invocable<S&> && requires(S& next) {
  typename std::remove_cvref_t<decltype(next())>::value_type;
  requires std::same_as<std::remove_cvref_t<decltype(next())>,
                        std::optional<typename std::remove_cvref_t<decltype(next())>::value_type>>;
};

template <Stream S>
using StreamedBy = typename std::remove_cvref_t<std::invoke_result_t<S&>>::value_type;

/// The elements of a range, which is moved in or, where it is named, has to outlive this.
template <class Range>
requires requires(Range& range) { std::begin(range) != std::end(range); }
auto stream(Range&& range) {
  struct State {
    explicit State(Range&& r) : elements(std::forward<Range>(r)), at(std::begin(elements)) {}
    Range elements;  // or a reference to them
    decltype(std::begin(std::declval<Range&>())) at;
  };
  using Sample = std::remove_cvref_t<decltype(*std::begin(range))>;
  return [state = std::make_shared<State>(std::forward<Range>(range))]() -> std::optional<Sample> {
    if (state->at == std::end(state->elements)) return std::nullopt;
    std::optional<Sample> sample(*state->at);
    ++state->at;
    return sample;
  };
}

/// f(sample) in the place of each sample.
template <Stream S, std::invocable<StreamedBy<S>> F>
auto map(S from, F f) {
  using Sample = std::remove_cvref_t<std::invoke_result_t<F&, StreamedBy<S>>>;
  return [from = std::move(from), f = std::move(f)]() mutable -> std::optional<Sample> {
    auto sample = from();
    if (!sample) return std::nullopt;
    return f(*std::move(sample));
  };
}

/// The samples for which keep(sample) holds.
template <Stream S, std::predicate<StreamedBy<S>> Keep>
auto filter(S from, Keep keep) {
  return [from = std::move(from), keep = std::move(keep)]() mutable -> std::optional<StreamedBy<S>> {
    for (auto sample = from(); sample; sample = from())
      if (keep(std::as_const(*sample))) return sample;
    return std::nullopt;
  };
}

/// The samples of one stream, then those of another.
template <Stream First, Stream Second>
requires std::same_as<StreamedBy<First>, StreamedBy<Second>>
auto concat(First first, Second second) {
  return [first = std::move(first), second = std::move(second), ended = false]() mutable {
    if (!ended) {
      if (auto sample = first()) return sample;
      ended = true;
    }
    return second();
  };
}

/// Pairs of the samples of two streams, until one ends.
template <Stream First, Stream Second>
auto zip(First first, Second second) {
  using Sample = std::pair<StreamedBy<First>, StreamedBy<Second>>;
  return [first = std::move(first), second = std::move(second)]() mutable -> std::optional<Sample> {
    auto a = first();
    if (!a) return std::nullopt;
    auto b = second();
    if (!b) return std::nullopt;
    return Sample(*std::move(a), *std::move(b));
  };
}

/// The samples in an order that is random within a buffer of `size`: each that is given out is drawn from it, and the
/// next of the stream takes its place. The same seed gives the same order. Throws Error for a size below 1.
template <Stream S>
auto shuffled(S from, std::int64_t size, std::uint64_t seed) {
  check(size >= 1, "shuffled: a buffer of ", size, " samples; it holds at least 1");
  return [from = std::move(from), size = static_cast<std::size_t>(size), generator = Generator(seed),
          buffer = std::vector<StreamedBy<S>>(), ended = false]() mutable -> std::optional<StreamedBy<S>> {
    while (!ended && buffer.size() < size) {
      if (auto sample = from())
        buffer.push_back(*std::move(sample));
      else
        ended = true;
    }
    if (buffer.empty()) return std::nullopt;
    std::int64_t chosen = 0;
    generator.integers(&chosen, 1, 0, static_cast<std::int64_t>(buffer.size()));
    std::swap(buffer[static_cast<std::size_t>(chosen)], buffer.back());
    std::optional<StreamedBy<S>> sample(std::move(buffer.back()));
    buffer.pop_back();
    return sample;
  };
}

/// A range of batches as collate() makes them, the last one smaller. It can be gone through once. Throws Error for a
/// size below 1.
template <Stream S>
class BatchedStream {
 public:
  using value_type = Collated<StreamedBy<S>>;

  BatchedStream(S from, std::int64_t size) : from_(std::move(from)), size_(size) {
    check(size >= 1, "batched: ", size, " samples a batch; it holds at least 1");
  }

  class Iterator {
   public:
    using value_type = BatchedStream::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;
    explicit Iterator(BatchedStream& of) : of_(&of) { of_->read(); }
    const value_type& operator*() const { return *of_->batch_; }
    Iterator& operator++() {
      of_->read();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return iterator.ended(); }

   private:
    bool ended() const { return !of_->batch_; }
    BatchedStream* of_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  void read() {
    std::vector<StreamedBy<S>> samples;
    while (static_cast<std::int64_t>(samples.size()) < size_) {
      auto sample = from_();
      if (!sample) break;
      samples.push_back(*std::move(sample));
    }
    batch_.reset();
    if (!samples.empty()) batch_.emplace(collate(samples));
  }

  S from_;
  std::int64_t size_;
  std::optional<value_type> batch_;
};
template <Stream S>
BatchedStream<S> batched(S from, std::int64_t size) {
  return {std::move(from), size};
}

}  // namespace xgrad::data
