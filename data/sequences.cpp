#include "sequences.hpp"

#include <algorithm>
#include <mutex>

#include "../array/random.hpp"
#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"

namespace xgrad::data {

namespace {

constexpr std::uint64_t bucket_stream = std::uint64_t{5} << 61;  // apart from all others, the epoch below

Shape without_length(const Tensor& sequence) {
  Shape shape = sequence.shape();
  shape.erase(0);
  return shape;
}

void check_sequences(const char* op, const std::vector<Tensor>& sequences) {
  for (const Tensor& one : sequences) {
    check(one.defined() && one.dim() >= 1, op, ": a sequence is a tensor with an axis for its length");
    const Tensor& first = sequences.front();
    check(one.dtype() == first.dtype() && without_length(one) == without_length(first), op, ": sequences of ",
          first.shape(), ", ", first.dtype(), ", and of ", one.shape(), ", ", one.dtype(),
          ", differ in more than their length, the first axis");
  }
}

Tensor padded(const char* op, const std::vector<Tensor>& sequences, const PadSequenceOptions& options) {
  std::int64_t longest = 0;
  for (const Tensor& one : sequences) longest = std::max(longest, one.size(0));
  const std::int64_t length = options.length < 0 ? longest : options.length;
  check(longest <= length, op, ": a sequence of ", longest, " is longer than ", length);
  Shape shape = sequences.front().shape();
  shape[0] = length;
  shape.insert(0, static_cast<std::int64_t>(sequences.size()));
  const DType dtype = sequences.front().dtype();
  const Tensor out = full(shape, options.padding_value, {.dtype = dtype});
  for (std::size_t i = 0; i < sequences.size(); ++i)
    slice(select(out, 0, static_cast<std::int64_t>(i)), 0, 0, sequences[i].size(0)).copy_(sequences[i]);
  return out;
}

}  // namespace

Tensor pad_sequence(const std::vector<Tensor>& sequences, const PadSequenceOptions& options) {
  check(!sequences.empty(), "pad_sequence: no sequences");
  check_sequences("pad_sequence", sequences);
  const NoGrad no_grad;
  return padded("pad_sequence", sequences, options);
}

Sequences::Sequences(std::vector<Tensor> x, std::vector<Tensor> y, const SequencesOptions& options)
    : options_(options) {
  check(x.size() == y.size(), "Sequences: ", x.size(), " inputs and ", y.size(), " targets");
  check_sequences("Sequences", x);
  for (std::vector<Tensor>* all : {&x, &y})
    for (Tensor& one : *all) {
      check(one.defined(), "Sequences: a sample is an undefined tensor");
      one = one.detach().contiguous();
    }
  const bool equal = std::all_of(y.begin(), y.end(), [&](const Tensor& one) {
    return one.shape() == y.front().shape() && one.dtype() == y.front().dtype();
  });
  if (!equal) check_sequences("Sequences", y);
  samples_ = std::make_shared<const Samples>(Samples{std::move(x), std::move(y), equal});
}

Batch Sequences::batch(std::span<const std::int64_t> indices) const {
  check_indices("Sequences", indices, size());
  check(!indices.empty(), "Sequences: a batch of no samples");
  const NoGrad no_grad;
  std::vector<Tensor> x, y;
  for (const std::int64_t index : indices) {
    x.push_back(samples_->x[static_cast<std::size_t>(index)]);
    Tensor target = samples_->y[static_cast<std::size_t>(index)];
    if (samples_->equal_targets) {  // as a sequence of one
      Shape shape = target.shape();
      shape.insert(0, 1);
      target = reshape(target, shape);
    }
    y.push_back(target);
  }
  Batch batch{padded("Sequences", x, {.padding_value = options_.padding_value}),
              padded("Sequences", y, {.padding_value = options_.target_padding_value})};
  if (samples_->equal_targets) batch.y = select(batch.y, 1, 0);
  return batch;
}

std::vector<std::int64_t> Sequences::lengths() const {
  std::vector<std::int64_t> lengths;
  for (const Tensor& x : samples_->x) lengths.push_back(x.size(0));
  return lengths;
}

struct Buckets::Order {
  std::mutex mutex;
  std::int64_t number = -1;
  std::uint64_t seed = 0;
  std::shared_ptr<const std::vector<std::int64_t>> order;
};

Buckets::Buckets(DatasetHandle set, std::vector<std::int64_t> lengths, const BucketsOptions& options)
    : set_(std::move(set)), options_(options), last_(std::make_shared<Order>()) {
  check(static_cast<std::int64_t>(lengths.size()) == checked_size("Buckets", *set_), "Buckets: ", lengths.size(),
        " lengths of ", set_->size(), " samples");
  check(options.batch_size >= 1 && options.pool >= 1, "Buckets: batch_size ", options.batch_size, " and pool ",
        options.pool, " must be at least 1");
  lengths_ = std::make_shared<const std::vector<std::int64_t>>(std::move(lengths));
}

std::int64_t Buckets::size() const {
  const auto samples = static_cast<std::int64_t>(lengths_->size());
  return samples / options_.batch_size + (samples % options_.batch_size != 0);
}

std::vector<std::int64_t> Buckets::order_of(const Epoch& epoch) const {
  const auto samples = static_cast<std::int64_t>(lengths_->size());
  std::vector<std::int64_t> order = sample_numbers("Buckets", samples);
  Generator(epoch.seed, bucket_stream + static_cast<std::uint64_t>(epoch.number)).permutation(order.data(), samples);
  const std::int64_t pool =
      options_.batch_size <= samples / options_.pool ? options_.batch_size * options_.pool : samples;
  for (std::int64_t begin = 0; begin < samples; begin += pool)
    std::stable_sort(order.begin() + begin, order.begin() + std::min(samples, begin + pool),
                     [&](std::int64_t a, std::int64_t b) {
                       return (*lengths_)[static_cast<std::size_t>(a)] < (*lengths_)[static_cast<std::size_t>(b)];
                     });
  return order;
}

Batch Buckets::batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const {
  check_indices("Buckets", indices, size());
  std::shared_ptr<const std::vector<std::int64_t>> order;
  {
    const std::lock_guard lock(last_->mutex);
    if (!last_->order || last_->number != epoch.number || last_->seed != epoch.seed) {
      last_->order = std::make_shared<const std::vector<std::int64_t>>(order_of(epoch));
      last_->number = epoch.number;
      last_->seed = epoch.seed;
    }
    order = last_->order;
  }
  std::vector<std::int64_t> chosen;
  for (const std::int64_t index : indices) {
    const std::int64_t begin = index * options_.batch_size;
    const std::int64_t end = std::min(begin + options_.batch_size, static_cast<std::int64_t>(order->size()));
    chosen.insert(chosen.end(), order->begin() + begin, order->begin() + end);
  }
  return set_->batch_of(epoch, chosen);
}

}  // namespace xgrad::data
