#pragma once
// Less memory for more time: intermediate results that are computed again when backward needs them.

#include <functional>
#include <memory>

#include "apply.hpp"

namespace xgrad {

namespace detail {

using TensorsFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

std::vector<Tensor> checkpoint(TensorsFunction f, std::vector<Tensor> inputs);

}  // namespace detail

/// f(inputs...), of which nothing is kept for backward but the inputs: backward runs f again. `f` takes Tensors, of
/// which some may be undefined, and gives a Tensor or several (std::vector, array, pair or tuple). Gradients, of any
/// order, are those of f(inputs...): what f draws from the default generator (dropout) is the same in both runs, bit
/// for bit, and changes nothing for those who draw from it later. (Where one tensor is used inside f and outside it,
/// the parts of its gradient may be added in another order.) Parameters and other tensors that f uses without being
/// given them get their gradients too. Checkpoints may be nested.
///
/// `h = checkpoint([&](const Tensor& x) { return block(x); }, h);`
///
/// f is kept until backward is done; what it holds by reference must live as long. It must do the same both times:
/// what else it changes, it changes twice (running statistics of batch norm), and when its results differ in number,
/// shape, dtype or values, or come from other tensors, backward throws Error; so it does where an input, or a parameter
/// that f captured, was changed in place.
template <class F, class... Inputs>
auto checkpoint(F f, const Inputs&... inputs) {
  using Result = std::remove_cvref_t<decltype(f(detail::as_input(inputs)...))>;
  return detail::with_memory_for("checkpoint", [&]() -> Result {
    const auto kept = std::make_shared<F>(std::move(f));
    const auto on_vector = [kept](const std::vector<Tensor>& tensors) {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        Result result = (*kept)(tensors[I]...);
        std::vector<Tensor> outputs;
        detail::each_tensor(result, [&](Tensor& output) { outputs.push_back(std::move(output)); });
        return outputs;
      }
      (std::make_index_sequence<sizeof...(Inputs)>{});
    };
    std::vector<Tensor> outputs = detail::checkpoint(on_vector, {Tensor(detail::as_input(inputs))...});
    if constexpr (detail::is_vector<Result>) {
      return outputs;
    } else {
      Result result;
      std::size_t at = 0;
      detail::each_tensor(result, [&](Tensor& output) { output = std::move(outputs[at++]); });
      return result;
    }
  });
}

}  // namespace xgrad
