#pragma once
// A data set whose inputs pass through a function.

#include <concepts>
#include <functional>
#include <tuple>
#include <utility>

#include "../array/random.hpp"
#include "dataset.hpp"

namespace xgrad::data {

/// A function of the input of one sample, which may draw from a generator.
template <class F>
concept Transform = std::is_invocable_r_v<Tensor, const F&, const Tensor&, Generator&> ||
    std::is_invocable_r_v<Tensor, const F&, const Tensor&>;

/// f(x), from the generator where f draws.
template <Transform F>
Tensor transformed(const F& f, const Tensor& x, Generator& generator) {
  if constexpr (std::is_invocable_r_v<Tensor, const F&, const Tensor&, Generator&>)
    return f(x, generator);
  else
    return f(x);
}

/// Transforms one after the other, the first one first; made by compose().
template <Transform... F>
struct Compose {
  std::tuple<F...> transforms;

  Tensor operator()(const Tensor& x, Generator& generator) const {
    Tensor y = x;
    std::apply([&](const F&... f) { ((y = transformed(f, y, generator)), ...); }, transforms);
    return y;
  }
};

/// `compose(RandomCrop(28, {.padding = 2}), RandomHorizontalFlip())`.
template <Transform... F>
Compose<F...> compose(F... transforms) {
  return {{std::move(transforms)...}};
}

/// Made by map().
class Mapped final : public Dataset {
 public:
  using Function = std::function<Tensor(const Tensor& x, Generator& generator)>;
  Mapped(DatasetHandle set, Function function);

  std::int64_t size() const override { return set_->size(); }
  /// As in epoch 0 of seed 0.
  Batch batch(std::span<const std::int64_t> indices) const override { return batch_of({}, indices); }
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<Mapped>(*this); }

 private:
  DatasetHandle set_;
  Function function_;
};

/// A data set with f(x), outside the graph, in the place of the input x of each sample. f may be called by several
/// threads at once. Where it draws, the generator depends on the seed and the number of the epoch and on the number of
/// the sample alone, so that the samples are the same in any order and from any number of workers. batch() throws Error
/// where the results are not of one shape and dtype.
///
///     data::map(set, [](const Tensor& x) { return x * 2; })
///     data::map(set, [](const Tensor& x, Generator& g) { return x + randn(x.shape(), {.generator = &g}); })
template <Transform F>
Mapped map(DatasetHandle set, F f) {
  return Mapped(std::move(set),
                [f = std::move(f)](const Tensor& x, Generator& generator) { return transformed(f, x, generator); });
}

}  // namespace xgrad::data
