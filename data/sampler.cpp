#include "sampler.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>

namespace xgrad::data {

namespace {

using Order = std::vector<std::int64_t>;

constexpr std::uint64_t sampler_stream = std::uint64_t{1} << 43;  // apart from those of loaders, splits and samples

Generator generator_of(const Epoch& epoch) {
  return Generator(epoch.seed, sampler_stream + static_cast<std::uint64_t>(epoch.number));
}

Order permutation(std::int64_t n, Generator& generator) {
  Order order = sample_numbers("Sampler", n);
  generator.permutation(order.data(), n);
  return order;
}

std::vector<double> uniform(std::size_t n, Generator& generator) {
  std::vector<double> values(n);
  generator.uniform(values.data(), static_cast<std::int64_t>(n));
  return values;
}

template <class Key>
void sort_by(Order& order, Key&& key) {
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return key(a) < key(b); });
}

Order drawn_with_replacement(const std::vector<double>& weights, std::int64_t size, Generator& generator) {
  std::vector<double> until(weights.size());
  std::partial_sum(weights.begin(), weights.end(), until.begin());
  Order order;
  for (const double u : uniform(static_cast<std::size_t>(size), generator)) {
    auto found = std::upper_bound(until.begin(), until.end(), u * until.back());
    if (found == until.end()) found = std::lower_bound(until.begin(), until.end(), until.back());  // by rounding
    order.push_back(found - until.begin());
  }
  return order;
}

/// Efraimidis and Spirakis (2006): the samples with the largest u^(1 / weight).
Order drawn_without_replacement(const std::vector<double>& weights, std::int64_t size, Generator& generator) {
  std::vector<double> keys = uniform(weights.size(), generator);
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = weights[i] > 0 ? -std::log1p(-keys[i]) / weights[i] : INFINITY;
  Order order(weights.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  sort_by(order, [&](std::int64_t i) { return keys[static_cast<std::size_t>(i)]; });
  order.resize(static_cast<std::size_t>(size));
  return order;
}

}  // namespace

Sampler weighted_sampler(std::vector<double> weights, std::int64_t size, const WeightedSamplerOptions& options) {
  std::int64_t positive = 0;
  double sum = 0;
  for (const double weight : weights) {
    check(weight >= 0 && std::isfinite(weight), "weighted_sampler: ", weight, " is no weight");
    positive += weight > 0;
    sum += weight;
  }
  check(size >= 0 && positive > 0 && std::isfinite(sum), "weighted_sampler: ", size, " samples an epoch of ", positive,
        " with a positive weight");
  check(options.replacement || size <= positive, "weighted_sampler: ", size, " samples without replacement of ",
        positive, " with a positive weight");
  return {size, [weights = std::move(weights), size, options](const Epoch& epoch) {
            Generator generator = generator_of(epoch);
            return options.replacement ? drawn_with_replacement(weights, size, generator)
                                       : drawn_without_replacement(weights, size, generator);
          }};
}

Sampler stratified_sampler(const Tensor& labels) {
  check(labels.defined() && labels.dim() == 1 && !is_floating(labels.dtype()), "stratified_sampler: labels of shape ",
        labels.defined() ? labels.shape() : Shape(), "; whole numbers of shape (N,) are needed");
  return {labels.size(0), [labels = labels.to_vector<std::int64_t>()](const Epoch& epoch) {
            Generator generator = generator_of(epoch);
            Order order = permutation(static_cast<std::int64_t>(labels.size()), generator);
            std::map<std::int64_t, Order> classes;
            for (const std::int64_t i : order) classes[labels[static_cast<std::size_t>(i)]].push_back(i);
            // Members of a class lie evenly between 0 and 1, each class with an offset of its own.
            std::vector<double> place(labels.size());
            const std::vector<double> offsets = uniform(classes.size(), generator);
            std::size_t at = 0;
            for (const auto& [label, members] : classes) {
              for (std::size_t j = 0; j < members.size(); ++j)
                place[static_cast<std::size_t>(members[j])] =
                    (static_cast<double>(j) + offsets[at]) / static_cast<double>(members.size());
              ++at;
            }
            sort_by(order, [&](std::int64_t i) { return place[static_cast<std::size_t>(i)]; });
            return order;
          }};
}

Sampler length_sampler(std::vector<std::int64_t> lengths, std::int64_t batch_size) {
  check(batch_size > 0, "length_sampler: batch_size ", batch_size, " is less than 1");
  const auto samples = static_cast<std::int64_t>(lengths.size());
  return {samples, [lengths = std::move(lengths), samples, batch_size](const Epoch& epoch) {
            constexpr std::int64_t batches_a_chunk = 64;
            Generator generator = generator_of(epoch);
            const Order shuffled = permutation(samples, generator);
            const std::int64_t size = std::min(batch_size, std::max<std::int64_t>(samples, 1)),
                               chunk = std::min(samples / size + 1, batches_a_chunk) * size;
            std::vector<Order> batches;
            for (std::int64_t begin = 0; begin < samples; begin += chunk) {
              Order sorted(shuffled.begin() + begin, shuffled.begin() + std::min(begin + chunk, samples));
              sort_by(sorted, [&](std::int64_t i) { return lengths[static_cast<std::size_t>(i)]; });
              for (auto at = sorted.begin(); at != sorted.end();) {
                const auto end = at + std::min<std::ptrdiff_t>(size, sorted.end() - at);
                batches.emplace_back(at, end);
                at = end;
              }
            }
            // A last batch that is smaller stays last: before others it would move their bounds.
            const auto whole = static_cast<std::int64_t>(batches.size()) - (samples % size != 0);
            Order order;
            for (const std::int64_t i : permutation(whole, generator))
              order.insert(order.end(), batches[static_cast<std::size_t>(i)].begin(),
                           batches[static_cast<std::size_t>(i)].end());
            if (static_cast<std::size_t>(whole) < batches.size())
              order.insert(order.end(), batches.back().begin(), batches.back().end());
            return order;
          }};
}

Sampler distributed_sampler(std::int64_t samples, const DistributedSamplerOptions& options) {
  const std::int64_t replicas = options.replicas;
  check(samples >= 0 && replicas >= 1 && options.rank >= 0 && options.rank < replicas, "distributed_sampler: rank ",
        options.rank, " of ", replicas, " replicas, of ", samples, " samples");
  const std::int64_t size = samples / replicas + (!options.drop_last && samples % replicas != 0);
  return {size, [samples, options, size](const Epoch& epoch) {
            Order all = sample_numbers("distributed_sampler", samples);
            std::iota(all.begin(), all.end(), std::int64_t{0});
            if (options.shuffle) {
              Generator generator = generator_of(epoch);
              generator.permutation(all.data(), samples);
            }
            Order order;
            for (std::int64_t i = 0; i < size; ++i)
              order.push_back(all[static_cast<std::size_t>((options.rank + i * options.replicas) % samples)]);
            return order;
          }};
}

struct internal::EpochOrder::State {
  explicit State(Sampler from) : sampler(std::move(from)) {}
  const Sampler sampler;
  std::mutex mutex;  // of what follows
  std::optional<Epoch> epoch;
  std::shared_ptr<const Order> order;
};

internal::EpochOrder::EpochOrder(Sampler sampler) : state_(std::make_shared<State>(std::move(sampler))) {
  check(size() >= 0 && state_->sampler.order, "Sampler: its size is ", size(), ", or it has no order");
}

std::int64_t internal::EpochOrder::size() const { return state_->sampler.size; }

std::shared_ptr<const Order> internal::EpochOrder::of(const Epoch& epoch, std::int64_t samples) const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->epoch || state_->epoch->seed != epoch.seed || state_->epoch->number != epoch.number) {
    auto order = std::make_shared<const Order>(state_->sampler.order(epoch));
    check(static_cast<std::int64_t>(order->size()) == size(), "Sampler: it gave ", order->size(), " samples, not ",
          size());
    check_indices("Sampler", *order, samples);
    state_->order = std::move(order);
    state_->epoch = epoch;
  }
  return state_->order;
}

Batch SampledDataset::batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const {
  check_indices("SampledDataset", indices, size());
  const auto order = order_.of(epoch, set_->size());
  Order chosen;
  for (const std::int64_t i : indices) chosen.push_back((*order)[static_cast<std::size_t>(i)]);
  return set_->batch_of(epoch, chosen);
}

}  // namespace xgrad::data
