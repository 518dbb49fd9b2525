#pragma once
// Parts of a data set.

#include <array>
#include <cstdint>
#include <optional>

#include "../array/random.hpp"
#include "../core/count.hpp"
#include "dataset.hpp"

namespace xgrad::data {

/// The samples `indices` of another data set.
class Subset final : public Dataset {
 public:
  /// Throws Error for an index out of range.
  Subset(DatasetHandle set, std::vector<std::int64_t> indices);

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_->size()); }
  Batch batch(std::span<const std::int64_t> indices) const override;
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override;

  /// Numbers of the samples in the whole data set.
  const std::vector<std::int64_t>& indices() const { return *indices_; }

 private:
  /// The numbers in the whole data set of samples of this one.
  std::vector<std::int64_t> chosen(std::span<const std::int64_t> indices) const;

  DatasetHandle set_;
  std::shared_ptr<const std::vector<std::int64_t>> indices_;
};

struct RandomSplitOptions {
  std::optional<std::uint64_t> seed = {};  // without one, `generator` decides
  Generator* generator = nullptr;          // null: default_generator()
};

/// How much of a data set a part gets: a number of samples, or a fraction.
class Part {
 public:
  template <detail::Count N>
  Part(N samples) : samples_(detail::count("random_split: the size of a part", samples)) {}
  Part(double fraction) : fraction_(fraction) {}

 private:
  friend std::vector<std::int64_t> part_sizes(std::span<const Part> parts, std::int64_t samples);
  std::int64_t samples_ = 0;
  std::optional<double> fraction_ = {};
};

/// The parts of a data set: an array, `auto [train, test] = ...`, that is also a std::vector.
template <std::size_t n>
struct Subsets : std::array<Subset, n> {
  operator std::vector<Subset>() const { return {this->begin(), this->end()}; }
};

/// Deals the samples of a data set at random into parts of these sizes, or of these fractions of it, rounded down; what
/// is then left goes to the first parts, a sample each, as in PyTorch. Throws Error unless the sizes sum to that of the
/// data set, the fractions to 1.
///
///     auto [train, test] = data::random_split(set, {50000, 10000}, {.seed = 0});
///     auto [fit, validation, rest] = data::random_split(set, {0.7, 0.2, 0.1}, generator);
///     std::vector<data::Subset> parts = data::random_split(set, std::vector<double>(10, 0.1));
std::vector<Subset> random_split(DatasetHandle set, std::span<const Part> parts,
                                 const RandomSplitOptions& options = {});
template <std::size_t n>
Subsets<n> random_split(DatasetHandle set, const Part (&parts)[n], const RandomSplitOptions& options = {}) {
  std::vector<Subset> all = random_split(std::move(set), std::span<const Part>(parts), options);
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return Subsets<n>{{std::move(all[I])...}}; }
  (std::make_index_sequence<n>());
}
template <class T>
requires std::is_arithmetic_v<T> std::vector<Subset> random_split(DatasetHandle set, const std::vector<T>& parts,
                                                                  const RandomSplitOptions& options = {}) {
  const std::vector<Part> all(parts.begin(), parts.end());
  return random_split(std::move(set), std::span(all), options);
}
template <std::size_t n>
Subsets<n> random_split(DatasetHandle set, const Part (&parts)[n], Generator& generator) {
  return random_split(std::move(set), parts, {.generator = &generator});
}
template <std::size_t n>
Subsets<n> random_split(DatasetHandle set, const Part (&parts)[n], Generator&& generator) {
  return random_split(std::move(set), parts, {.generator = &generator});
}
template <class T>
requires std::is_arithmetic_v<T> std::vector<Subset> random_split(DatasetHandle set, const std::vector<T>& parts,
                                                                  Generator& generator) {
  return random_split(std::move(set), parts, {.generator = &generator});
}

}  // namespace xgrad::data

template <std::size_t n>
struct std::tuple_size<xgrad::data::Subsets<n>> : std::integral_constant<std::size_t, n> {};
template <std::size_t i, std::size_t n>
struct std::tuple_element<i, xgrad::data::Subsets<n>> {
  using type = xgrad::data::Subset;
};
