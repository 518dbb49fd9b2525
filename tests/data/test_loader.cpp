#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/tensor_dataset.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "../catch.hpp"

using namespace xgrad;
using Catch::Contains;
using Indices = std::vector<std::int64_t>;

namespace {

data::TensorDataset counting(std::int64_t n) {
  Tensor y = arange(n, {.dtype = int64});
  return {y, y};
}

// The labels of one epoch, batch by batch.
std::vector<Indices> epoch(data::DataLoader& loader) {
  std::vector<Indices> out;
  for (const auto& [x, y] : loader) {
    CHECK(x.shape() == y.shape());
    out.emplace_back(y.data<std::int64_t>(), y.data<std::int64_t>() + y.numel());
  }
  CHECK(loader.size() == static_cast<std::int64_t>(out.size()));
  return out;
}

Indices joined(const std::vector<Indices>& batches) {
  Indices out;
  for (const Indices& batch : batches) out.insert(out.end(), batch.begin(), batch.end());
  return out;
}

}  // namespace

TEST_CASE("DataLoader: batches come in order, the last one smaller, or left out") {
  data::DataLoader all(counting(7), {.batch_size = 3}), whole(counting(7), {.batch_size = 3, .drop_last = true});
  CHECK(epoch(all) == std::vector<Indices>{{0, 1, 2}, {3, 4, 5}, {6}});
  CHECK(epoch(whole) == std::vector<Indices>{{0, 1, 2}, {3, 4, 5}});
  data::DataLoader even(counting(6), {.batch_size = 3}), large(counting(2), {.batch_size = 100});
  CHECK(epoch(even).size() == 2);
  CHECK(epoch(large) == std::vector<Indices>{{0, 1}});
  data::DataLoader large_dropped(counting(2), {.batch_size = 100, .drop_last = true}), one(counting(2));
  CHECK(epoch(large_dropped).empty());
  CHECK(epoch(one) == std::vector<Indices>{{0}, {1}});
}

TEST_CASE("DataLoader: an empty data set has no batches") {
  for (const bool shuffle : {false, true}) {
    data::DataLoader loader(counting(0), {.batch_size = 3, .shuffle = shuffle});
    CHECK(epoch(loader).empty());
  }
}

namespace {

// Any number of samples, none of them anywhere.
struct Claiming final : data::Dataset {
  explicit Claiming(std::int64_t n) : samples(n) {}
  std::int64_t size() const override { return samples; }
  data::Batch batch(std::span<const std::int64_t> indices) const override {
    const Tensor first = full({1}, static_cast<double>(indices.front()), {.dtype = int64});
    return {first, first};
  }
  std::int64_t samples;
};

}  // namespace

TEST_CASE("DataLoader: a batch size as a plain number") {
  data::DataLoader two(counting(3), 2), one(counting(3), {});
  CHECK(epoch(two) == std::vector<Indices>{{0, 1}, {2}});
  CHECK(epoch(one).size() == 3);  // {} are the defaults
  CHECK(data::DataLoader(counting(3), std::size_t{3}).size() == 1);
  CHECK_THROWS_WITH(data::DataLoader(counting(3), UINT64_MAX), Contains("batch_size is 18446744073709551615"));
}

TEST_CASE("DataLoader: sizes and epochs beyond all bounds") {
  const Claiming most(INT64_MAX), negative(-1);
  data::DataLoader in_order(most, {.batch_size = 3}), whole(most, {.batch_size = INT64_MAX}),
      shuffled(most, {.shuffle = true}), none(negative, {.shuffle = true});
  CHECK(in_order.size() == INT64_MAX / 3 + 1);
  CHECK((*in_order.begin()).y.item<std::int64_t>() == 0);
  CHECK(whole.size() == 1);
  CHECK_THROWS_WITH(whole.begin(), Contains("9223372036854775807 samples do not fit into memory"));
  CHECK_THROWS_WITH(shuffled.begin(), Contains("9223372036854775807 samples do not fit into memory"));
  CHECK_THROWS_WITH(none.begin(), Contains("the data set has -1 samples"));
  CHECK_THROWS_WITH(none.size(), Contains("the data set has -1 samples"));

  data::DataLoader loader(counting(3), {.shuffle = true, .seed = UINT64_MAX});
  CHECK_THROWS_WITH(loader.set_epoch(-1), Contains("epoch -1 is negative"));
  loader.set_epoch(INT64_MAX);
  CHECK_THROWS_WITH(loader.begin(), Contains("has no next one"));
  loader.set_epoch(INT64_MAX - 1);
  CHECK(epoch(loader).size() == 3);
  CHECK(loader.epoch() == INT64_MAX);
}

TEST_CASE("DataLoader: a batch size below 1 is an error") {
  CHECK_THROWS_WITH(data::DataLoader(counting(3), {.batch_size = 0}), Contains("batch_size 0 is less than 1"));
  CHECK_THROWS_AS(data::DataLoader(counting(3), {.batch_size = -1}), Error);
}

TEST_CASE("DataLoader: shuffling with a seed depends on the seed and the epoch only") {
  const data::DataLoaderOptions options{.batch_size = 10, .shuffle = true, .seed = 7};
  data::DataLoader loader(counting(100), options);
  const Indices first = joined(epoch(loader)), second = joined(epoch(loader));
  CHECK(first != second);
  Indices sorted = first;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == joined([] {
          data::DataLoader ordered(counting(100));
          return epoch(ordered);
        }()));

  manual_seed(99);
  data::DataLoader again(counting(100), options);
  again.set_epoch(1);
  CHECK(joined(epoch(again)) == second);
  CHECK(again.epoch() == 2);
  again.set_epoch(0);
  CHECK(joined(epoch(again)) == first);

  data::DataLoader other(counting(100), {.batch_size = 10, .shuffle = true, .seed = 8});
  CHECK(joined(epoch(other)) != first);
}

TEST_CASE("DataLoader: shuffling without a seed follows manual_seed") {
  const auto two_epochs = [] {
    manual_seed(1);
    data::DataLoader loader(counting(50), {.batch_size = 8, .shuffle = true});
    return std::pair(joined(epoch(loader)), joined(epoch(loader)));
  };
  const auto [first, second] = two_epochs();
  CHECK(first != second);
  CHECK(two_epochs() == std::pair(first, second));
}

TEST_CASE("DataLoader: loops may overlap, and outlive loader and data set") {
  std::optional<data::TensorDataset> set = counting(4);
  std::optional<data::DataLoader> loader(std::in_place, *set, data::DataLoaderOptions{.batch_size = 3});
  auto outer = loader->begin(), inner = loader->begin();
  ++outer;
  loader.reset();
  set.reset();
  CHECK((*outer).y.item<std::int64_t>() == 3);
  CHECK(inner->y.numel() == 3);
  CHECK(++outer == std::default_sentinel);
  CHECK(inner != std::default_sentinel);
}

namespace {

/// Counts, and lets no batch pass before `together` of them are being read.
struct Meeting final : data::Dataset {
  explicit Meeting(int count) : together(count) {}
  std::int64_t size() const override { return 100; }
  data::Batch batch(std::span<const std::int64_t> indices) const override {
    std::unique_lock lock(mutex);
    ++reads;
    if (++present == together) met = true;
    changed.notify_all();
    const bool in_time = changed.wait_for(lock, std::chrono::seconds(60), [this] { return met; });
    --present;
    if (!in_time) throw std::runtime_error("the others did not come");
    if (indices[0] == failing) throw std::out_of_range("sample 30");
    const Tensor first = full({1}, indices[0], {.dtype = int64});
    return {first, first};
  }
  int together;
  std::int64_t failing = -1;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  mutable int present = 0, reads = 0;
  mutable bool met = false;
};

}  // namespace

TEST_CASE("DataLoader: workers read the same batches in the same order", "[threads]") {
  for (const bool shuffle : {false, true}) {
    std::vector<std::vector<Indices>> epochs;
    for (const std::int64_t workers : {0, 1, 2, 4, 20}) {
      data::DataLoader loader(counting(53), {.batch_size = 5, .shuffle = shuffle, .seed = 3, .workers = workers});
      epoch(loader);
      epochs.push_back(epoch(loader));
    }
    for (const auto& each : epochs) CHECK(each == epochs[0]);
  }
  CHECK_THROWS_WITH(data::DataLoader(counting(3), {.workers = -1}), Contains("workers is -1"));
}

TEST_CASE("DataLoader: workers read at the same time, and no more than two batches a worker ahead", "[threads]") {
  const Meeting set(4);
  data::DataLoader loader(set, {.batch_size = 5, .workers = 4});
  std::int64_t taken = 0;
  for (const auto& [x, y] : loader) {
    CHECK(y.item<std::int64_t>() == 5 * taken++);
    const std::lock_guard lock(set.mutex);
    CHECK(set.reads <= taken + 8);
  }
  CHECK(taken == 20);
}

TEST_CASE("DataLoader: what a worker throws comes where its batch would have come", "[threads]") {
  Meeting set(2);
  set.failing = 30;
  data::DataLoader loader(set, {.batch_size = 10, .workers = 2});
  int batches = 0;
  const auto run = [&] {
    for ([[maybe_unused]] const auto& batch : loader) ++batches;
  };
  CHECK_THROWS_AS(run(), std::out_of_range);
  CHECK(batches == 3);
}

TEST_CASE("DataLoader: a loop that is left early ends its workers", "[threads]") {
  const Meeting set(1);
  {
    data::DataLoader loader(set, {.batch_size = 1, .workers = 3});
    for (const auto& [x, y] : loader)
      if (y.item<std::int64_t>() == 4) break;
  }
  CHECK(set.reads <= 5 + 6);
  CHECK(set.present == 0);
}

TEST_CASE("DataLoader: its state is where it is, also within an epoch") {
  data::DataLoader loader(counting(10), {.batch_size = 3, .shuffle = true});
  data::DataLoader again(counting(10), {.batch_size = 3, .shuffle = true});
  manual_seed(4);
  const auto whole = epoch(loader);
  manual_seed(4);
  int given = 0;
  for ([[maybe_unused]] const auto& batch : loader)
    if (++given == 2) {
      again.load_state_dict(loader.state_dict());
      break;
    }
  CHECK(again.epoch() == 1);
  CHECK(again.state_dict()["batches"].item<int>() == 2);
  std::vector<Indices> rest;
  for (const auto& [x, y] : again) rest.push_back(y.to_vector<std::int64_t>());
  CHECK(rest == std::vector<Indices>{whole[2], whole[3]});
  CHECK(again.epoch() == 2);
  CHECK(again.state_dict()["batches"].item<int>() == 0);
  CHECK(loader.state_dict()["epoch"].item<int>() == 2);  // the loop was left

  NamedTensors state = loader.state_dict();
  state[1].second = full({}, 5, {.dtype = int64});
  CHECK_THROWS_WITH(again.load_state_dict(state), Contains("5 batches were given out of an epoch of 4"));
  CHECK_THROWS_WITH(again.load_state_dict({{"lr", zeros({})}}), Contains("entry `lr` is not one of a loader's state"));
  CHECK_THROWS_WITH(again.load_state_dict(NamedTensors()), Contains("`epoch` is missing or negative"));
  CHECK(again.epoch() == 2);
}
