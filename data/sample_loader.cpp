#include "sample_loader.hpp"

#include <bit>

namespace xgrad::data::internal {

namespace {

class SampleNumbers final : public Dataset {
 public:
  explicit SampleNumbers(std::int64_t size) : size_(size) {}
  std::int64_t size() const override { return size_; }
  Batch batch(std::span<const std::int64_t> indices) const override { return batch_of({}, indices); }
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override {
    return {from_values(indices, static_cast<std::int64_t>(indices.size())),
            tensor(std::vector{std::bit_cast<std::int64_t>(epoch.seed), epoch.number})};
  }
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<SampleNumbers>(*this); }

 private:
  std::int64_t size_;
};

}  // namespace

DataLoader loader_of_numbers(std::int64_t size, DataLoaderOptions options) {
  const DataLoader checked(SampleNumbers(size), options);
  options.workers = 0;
  return DataLoader(SampleNumbers(size), options);
}

BatchNumbers::BatchNumbers(const Batch& batch)
    : epoch{std::bit_cast<std::uint64_t>(batch.y.data<std::int64_t>()[0]), batch.y.data<std::int64_t>()[1]},
      samples(batch.x.to_vector<std::int64_t>()) {}

}  // namespace xgrad::data::internal
