#include "splits.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "../array/random.hpp"
#include "dataset.hpp"

namespace xgrad::data {

namespace {

constexpr std::uint64_t fold_stream = std::uint64_t{1} << 42;  // apart from those of random_split and loaders

/// Calls use(generator) with that of a seed, or else the thread's.
template <class Use>
void with_generator(const std::optional<std::uint64_t>& seed, Use&& use) {
  if (seed) {
    Generator generator(*seed, fold_stream);
    use(generator);
  } else {
    use(default_generator());
  }
}

void shuffle(std::vector<std::int64_t>& values, Generator& generator) {
  const auto before = values;
  std::vector<std::int64_t> order(values.size());
  generator.permutation(order.data(), static_cast<std::int64_t>(order.size()));
  for (std::size_t i = 0; i < order.size(); ++i) values[i] = before[static_cast<std::size_t>(order[i])];
}

/// Folds from that whose validation part each sample is in.
std::vector<Fold> folds_of(const std::vector<std::int64_t>& fold_of_sample, std::int64_t folds) {
  std::vector<Fold> all(static_cast<std::size_t>(folds));
  for (std::size_t sample = 0; sample < fold_of_sample.size(); ++sample)
    for (std::size_t fold = 0; fold < all.size(); ++fold) {
      const bool held_out = fold_of_sample[sample] == static_cast<std::int64_t>(fold);
      (held_out ? all[fold].validation : all[fold].train).push_back(static_cast<std::int64_t>(sample));
    }
  return all;
}

/// The samples of each class, classes in the order in which they come.
std::vector<std::vector<std::int64_t>> samples_by_class(const char* op, const Tensor& labels) {
  check(labels.defined() && labels.dim() == 1 && !is_floating(labels.dtype()), op, ": labels of shape ",
        labels.defined() ? labels.shape() : Shape(), "; whole numbers of shape (N,) are needed");
  std::unordered_map<std::int64_t, std::size_t> place;
  std::vector<std::vector<std::int64_t>> samples;
  std::int64_t sample = 0;
  for (const std::int64_t label : labels.to_vector<std::int64_t>()) {
    const auto [found, is_new] = place.emplace(label, samples.size());
    if (is_new) samples.emplace_back();
    samples[found->second].push_back(sample++);
  }
  return samples;
}

}  // namespace

std::vector<Fold> k_fold(std::int64_t samples, std::int64_t folds, const FoldOptions& options) {
  check(folds >= 2 && folds <= samples, "k_fold: ", folds, " folds of ", samples,
        " samples; there are at least 2, and no more than samples");
  std::vector<std::int64_t> order = sample_numbers("k_fold", samples), fold_of_sample = order;
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (options.shuffle) with_generator(options.seed, [&](Generator& generator) { shuffle(order, generator); });
  auto at = order.begin();
  for (std::int64_t fold = 0; fold < folds; ++fold)
    for (const auto end = at + samples / folds + (fold < samples % folds); at != end; ++at)
      fold_of_sample[static_cast<std::size_t>(*at)] = fold;
  return folds_of(fold_of_sample, folds);
}

std::vector<Fold> stratified_k_fold(const Tensor& labels, std::int64_t folds, const FoldOptions& options) {
  const auto classes = samples_by_class("stratified_k_fold", labels);
  std::size_t most = 0, samples = 0;
  for (const auto& members : classes) most = std::max(most, members.size()), samples += members.size();
  check(folds >= 2 && static_cast<std::uint64_t>(folds) <= most, "stratified_k_fold: ", folds,
        " folds; there are at least 2, and no more than the ", most, " samples of the most frequent class");
  std::vector<std::int64_t> fold_of_sample(samples);
  std::int64_t dealt = 0;  // of all samples, by class, to the folds in turn: how many of a class each gets
  const auto deal = [&](Generator* generator) {
    for (const auto& members : classes) {
      const auto count = static_cast<std::int64_t>(members.size());
      std::vector<std::int64_t> shares(static_cast<std::size_t>(folds), count / folds), fold_of_member;
      for (std::int64_t i = 0; i < count % folds; ++i) ++shares[static_cast<std::size_t>((dealt + i) % folds)];
      dealt += count;
      for (std::size_t fold = 0; fold < shares.size(); ++fold)
        fold_of_member.insert(fold_of_member.end(), static_cast<std::size_t>(shares[fold]),
                              static_cast<std::int64_t>(fold));
      if (generator) shuffle(fold_of_member, *generator);
      for (std::size_t i = 0; i < members.size(); ++i)
        fold_of_sample[static_cast<std::size_t>(members[i])] = fold_of_member[i];
    }
  };
  if (options.shuffle)
    with_generator(options.seed, [&](Generator& generator) { deal(&generator); });
  else
    deal(nullptr);
  return folds_of(fold_of_sample, folds);
}

std::vector<std::vector<std::int64_t>> stratified_split(const Tensor& labels, const std::vector<double>& fractions,
                                                        const StratifiedSplitOptions& options) {
  double sum = 0;
  for (const double fraction : fractions) {
    check(fraction >= 0 && fraction <= 1, "stratified_split: ", fraction,
          " is no fraction; it must lie between 0 and 1");
    sum += fraction;
  }
  check(std::abs(sum - 1) <= 1e-9, "stratified_split: the fractions sum to ", sum, "; they must sum to 1");
  auto classes = samples_by_class("stratified_split", labels);
  std::vector<std::vector<std::int64_t>> parts(fractions.size());
  with_generator(options.seed, [&](Generator& generator) {
    for (auto& members : classes) {
      shuffle(members, generator);
      const auto count = static_cast<double>(members.size());
      double until = 0;
      auto begin = members.begin();
      for (std::size_t part = 0; part < parts.size(); ++part) {
        until += fractions[part];
        const auto end =
            part + 1 == parts.size()
                ? members.end()
                : members.begin() + static_cast<std::ptrdiff_t>(std::min(count, std::round(until * count)));
        parts[part].insert(parts[part].end(), begin, end);
        begin = end;
      }
    }
  });
  for (auto& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

}  // namespace xgrad::data
