#pragma once
// Samples that are structs of one's own, one by one: what is made of several sets of them.

#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "dataset.hpp"
#include "sample_generator.hpp"

namespace xgrad::data {

// A map-style set is anything with size() and, for 0 to size() - 1, operator[](std::int64_t) or, where samples differ
// from pass to pass, at(const Epoch&, std::int64_t): a std::vector of structs, or a class of one's own. It is read by
// several threads at once. SampleLoader gives its batches:
//
//     struct Review { Tensor words; std::int64_t stars; std::string author; };
//     std::vector<Review> reviews = ...;
//     auto long_ones = data::filter(reviews, [](const Review& r) { return r.words.numel() > 10; });
//     for (const auto& [words, stars, author] : data::SampleLoader(long_ones, {.batch_size = 32, .shuffle = true})) ...
//
// The functions below keep a copy of the sets that they are given, as the views of their elements.

/// A sample as it is in a pass.
template <class Set>
decltype(auto) sample_at(const Set& set, const Epoch& epoch, std::int64_t i) {
  if constexpr (requires { set.at(epoch, i); })
    return set.at(epoch, i);
  else if constexpr (requires(std::size_t n) {
                       { set.size() } -> std::same_as<std::size_t>;
                     })
    return set[static_cast<std::size_t>(i)];
  else
    return set[i];
}

template <class Set>
concept SampleSet =
    !std::derived_from<Set, Dataset> && std::copy_constructible<Set> && requires(const Set& set, const Epoch& epoch) {
  { set.size() } -> std::convertible_to<std::int64_t>;
  sample_at(set, epoch, std::int64_t{0});
};

template <SampleSet Set>
using SampleOf = std::remove_cvref_t<decltype(sample_at(std::declval<const Set&>(), std::declval<const Epoch&>(), 0))>;

template <SampleSet Set>
std::int64_t size_of(const Set& set) {
  return static_cast<std::int64_t>(set.size());
}

/// f(sample), or f(sample, generator) with sample_generator(), in the place of each sample. `data::map(set, f)`.
template <SampleSet Set, class F>
class MappedSamples {
 public:
  MappedSamples(Set set, F f) : set_(std::move(set)), f_(std::move(f)) {}
  std::int64_t size() const { return size_of(set_); }
  auto at(const Epoch& epoch, std::int64_t i) const {
    if constexpr (std::invocable<const F&, SampleOf<Set>, Generator&>) {
      Generator generator = sample_generator(epoch, i, Draws::transform);
      return f_(sample_at(set_, epoch, i), generator);
    } else {
      return f_(sample_at(set_, epoch, i));
    }
  }

 private:
  Set set_;
  F f_;
};
template <SampleSet Set, class F>
requires(std::invocable<const F&, SampleOf<Set>> ||
         std::invocable<const F&, SampleOf<Set>, Generator&>) MappedSamples<Set, F> map(Set set, F f) {
  return {std::move(set), std::move(f)};
}

/// The samples of these numbers.
template <SampleSet Set>
class ChosenSamples {
 public:
  /// Throws Error for a number out of range.
  ChosenSamples(Set set, std::vector<std::int64_t> indices) : set_(std::move(set)) {
    check_indices("ChosenSamples", indices, size_of(set_));
    indices_ = std::make_shared<const std::vector<std::int64_t>>(std::move(indices));
  }
  std::int64_t size() const { return static_cast<std::int64_t>(indices_->size()); }
  decltype(auto) at(const Epoch& epoch, std::int64_t i) const {
    return sample_at(set_, epoch, (*indices_)[static_cast<std::size_t>(i)]);
  }

 private:
  Set set_;
  std::shared_ptr<const std::vector<std::int64_t>> indices_;
};
/// `data::subset(set, fold.train)`.
template <SampleSet Set>
ChosenSamples<Set> subset(Set set, std::vector<std::int64_t> indices) {
  return {std::move(set), std::move(indices)};
}

/// The samples for which keep(sample) holds in epoch 0, each of which is read once now.
template <SampleSet Set, std::predicate<SampleOf<Set>> Keep>
ChosenSamples<Set> filter(Set set, const Keep& keep) {
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < size_of(set); ++i)
    if (keep(sample_at(set, Epoch{}, i))) kept.push_back(i);
  return {std::move(set), std::move(kept)};
}

/// The samples of one set, then those of another of the same type of sample.
template <SampleSet First, SampleSet Second>
requires std::same_as<SampleOf<First>, SampleOf<Second>>
class ConcatSamples {
 public:
  ConcatSamples(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {}
  std::int64_t size() const { return size_of(first_) + size_of(second_); }
  SampleOf<First> at(const Epoch& epoch, std::int64_t i) const {
    const std::int64_t before = size_of(first_);
    if (i < before) return sample_at(first_, epoch, i);
    return sample_at(second_, epoch, i - before);
  }

 private:
  First first_;
  Second second_;
};
template <SampleSet First, SampleSet Second>
ConcatSamples<First, Second> concat(First first, Second second) {
  return {std::move(first), std::move(second)};
}

/// Pairs of the samples of two sets. Throws Error unless they have the same size. map() makes one struct of a pair.
template <SampleSet First, SampleSet Second>
class ZippedSamples {
 public:
  ZippedSamples(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {
    check(size_of(first_) == size_of(second_), "zip: the sets have ", size_of(first_), " and ", size_of(second_),
          " samples");
  }
  std::int64_t size() const { return size_of(first_); }
  std::pair<SampleOf<First>, SampleOf<Second>> at(const Epoch& epoch, std::int64_t i) const {
    return {sample_at(first_, epoch, i), sample_at(second_, epoch, i)};
  }

 private:
  First first_;
  Second second_;
};
template <SampleSet First, SampleSet Second>
ZippedSamples<First, Second> zip(First first, Second second) {
  return {std::move(first), std::move(second)};
}

/// Keeps each sample as it was when it was first read. Copies share what is kept. Only for samples in which nothing is
/// random: put map() that draws around it, not in it.
template <SampleSet Set>
class CachedSamples {
 public:
  explicit CachedSamples(Set set) : set_(std::move(set)), kept_(std::make_shared<Kept>()) {
    kept_->samples.resize(static_cast<std::size_t>(size_of(set_)));
  }
  std::int64_t size() const { return size_of(set_); }
  SampleOf<Set> at(const Epoch& epoch, std::int64_t i) const {
    std::optional<SampleOf<Set>>& kept = kept_->samples[static_cast<std::size_t>(i)];
    {
      const std::lock_guard lock(kept_->mutex);
      if (kept) return *kept;
    }
    SampleOf<Set> sample = sample_at(set_, epoch, i);
    const std::lock_guard lock(kept_->mutex);
    if (!kept) kept = std::move(sample);
    return *kept;
  }

 private:
  struct Kept {
    std::mutex mutex;
    std::vector<std::optional<SampleOf<Set>>> samples;
  };
  Set set_;
  std::shared_ptr<Kept> kept_;
};
template <SampleSet Set>
CachedSamples<Set> cache(Set set) {
  return CachedSamples<Set>(std::move(set));
}

}  // namespace xgrad::data
