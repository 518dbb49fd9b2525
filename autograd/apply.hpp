#pragma once
// Operations as plain structs, recorded by apply().

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "node.hpp"
#include "operand.hpp"

namespace xgrad {

namespace detail {

template <class T>
constexpr std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;  // "... [with T = a::b<c>; ...]" or "... [T = a::b<c>]"
  text.remove_prefix(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of(";]<"));
  const auto colon = text.rfind(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

template <class Op>
const char* op_name([[maybe_unused]] const Op& op) {
  if constexpr (requires { op.name; }) {
    return op.name;
  } else {
    static const std::string name(type_name<Op>());
    return name.c_str();
  }
}

template <class T>
inline constexpr bool is_vector = std::is_same_v<T, std::vector<Tensor>>;

/// How many tensors a forward takes or gives; 0 where only running it tells.
template <class T>
constexpr std::size_t tensor_count() {
  if constexpr (std::is_same_v<T, Tensor>)
    return 1;
  else if constexpr (is_vector<T>)
    return 0;
  else
    return std::tuple_size_v<T>;
}

/// Calls f with each Tensor of a Tensor, vector, array, pair or tuple.
template <class Tensors, class F>
void each_tensor(Tensors& tensors, F&& f) {
  using T = std::remove_const_t<Tensors>;
  if constexpr (std::is_same_v<T, Tensor>)
    f(tensors);
  else if constexpr (is_vector<T>)
    for (auto& tensor : tensors) f(tensor);
  else
    std::apply([&](auto&... tensor) { (f(tensor), ...); }, tensors);
}

/// Makes `output` the output `index` of `node`. A tensor that others hold too (an input, a saved output) is not
/// touched: a new handle to its elements takes its place; it is a view if forward returned an input.
void attach(Tensor& output, Node& node, OutputInfo& info, std::uint32_t index, bool is_input);
/// The edge for an input of the operation `op`; throws Error for a view whose elements changed since it was taken.
Edge edge_to(const char* op, const Tensor& input);
[[noreturn]] void fail_gradient_count(const char* op, std::size_t gradients, std::size_t inputs);
/// A zero gradient, for an output that none came for.
Tensor zero_gradient(const OutputInfo& info);

template <class T, std::size_t N>
using FixedOrVector = std::conditional_t<N == 0, std::vector<T>, std::array<T, N>>;

template <class Op, std::size_t InputCount, class Result>
class OpNode final : public Node {
 public:
  static constexpr std::size_t output_count = tensor_count<Result>();

  explicit OpNode(Op&& op) : name_(op_name(op)), op_(std::move(op)) {}

  Op& op() { return *op_; }
  const char* name() const override { return name_; }
  // An operation that holds no resource saved no tensor: there is nothing to free, and backward may run again.
  void release_saved() noexcept override {
    if constexpr (!std::is_trivially_destructible_v<Op>) op_.reset();
  }
  bool released() const noexcept override { return !op_.has_value(); }

  template <class... Inputs>
  void connect(Result& result, const Inputs&... inputs) {
    std::size_t count = 0, at = 0;
    (each_tensor(inputs, [&](const Tensor&) { ++count; }), ...);
    if constexpr (InputCount == 0) edges_.resize(count);
    (each_tensor(inputs, [&](const Tensor& input) { edges_[at++] = edge_to(name(), input); }), ...);
    count = 0;
    each_tensor(result, [&](Tensor&) { ++count; });
    if constexpr (output_count == 0) outputs_.resize(count);
    enter_graph(edges_, outputs_);
    std::uint32_t index = 0;
    each_tensor(result, [&](Tensor& output) {
      bool is_input = false;
      const auto compare = [&](const Tensor& input) { is_input = is_input || input.reference() == output.reference(); };
      (each_tensor(inputs, compare), ...);
      attach(output, *this, outputs_[index], index, is_input);
      ++index;
    });
  }

  void backward(std::span<Tensor> outputs, std::span<Tensor> inputs, Needs needs) override {
    if constexpr (std::is_same_v<Result, Tensor>) {
      distribute(call(outputs[0], needs), inputs);
    } else {
      FixedOrVector<Tensor, output_count> gradients;
      if constexpr (output_count == 0) gradients.resize(outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i)
        gradients[i] = outputs[i].defined() || !is_floating(outputs_[i].dtype) ? std::move(outputs[i])
                                                                               : zero_gradient(outputs_[i]);
      distribute(call(gradients, needs), inputs);
    }
  }

 private:
  template <class Gradients>
  auto call(const Gradients& gradients, Needs needs) {
    if constexpr (requires { op_->backward(gradients, needs); })
      return op_->backward(gradients, needs);
    else
      return op_->backward(gradients);
  }

  template <class Gradients>
  void distribute(Gradients&& gradients, std::span<Tensor> inputs) {
    constexpr std::size_t count = tensor_count<std::remove_cvref_t<Gradients>>();
    static_assert(InputCount == 0 || count == 0 || count == InputCount,
                  "backward of an operation returns one gradient for each input of its forward");
    std::size_t actual = 0, at = 0;
    each_tensor(gradients, [&](Tensor&) { ++actual; });
    if (actual != inputs.size()) fail_gradient_count(name(), actual, inputs.size());
    each_tensor(gradients, [&](Tensor& gradient) { inputs[at++] = std::move(gradient); });
  }

  const char* name_;  // outlives the operation, for errors after release
  std::optional<Op> op_;
  FixedOrVector<Edge, InputCount> edges_;
  FixedOrVector<OutputInfo, output_count> outputs_;
};

inline bool wants_grad(const Tensor& tensor) { return tensor.requires_grad(); }
inline bool wants_grad(const std::vector<Tensor>& tensors) {
  for (const Tensor& tensor : tensors)
    if (tensor.requires_grad()) return true;
  return false;
}

inline const Tensor& as_input(const Tensor& tensor) { return tensor; }
inline const Tensor& as_input(const Operand& operand) { return operand; }
inline const std::vector<Tensor>& as_input(const std::vector<Tensor>& tensors) { return tensors; }
inline Tensor as_input(const Saved& saved) { return saved; }

template <class Op, class... Inputs>
auto record(Op op, const Inputs&... inputs) {
  using Result = std::remove_cvref_t<decltype(op.forward(inputs...))>;
  if (!grad_enabled || !(wants_grad(inputs) || ...)) return Result(op.forward(inputs...));
  constexpr std::size_t count = (is_vector<Inputs> || ...) ? 0 : sizeof...(Inputs);
  auto* node = new OpNode<Op, count, Result>(std::move(op));
  const auto owner = Reference<Node>::adopt(node);
  Result result = node->op().forward(inputs...);
  node->connect(result, inputs...);
  return result;
}

}  // namespace detail

/// Runs an operation and records it where an input requires a gradient.
///
/// An operation is a struct with
///   - `forward(const Tensor&...)` or `forward(const std::vector<Tensor>&)`, which gives a Tensor, or several as
///   std::array,
///     std::pair, std::tuple or std::vector; integer outputs have no gradient;
///   - `backward(grad)` or `backward(grad, Needs needs)`, const, which gives the gradient of the one input, or of each
///   input
///     as array, pair, tuple or vector. `grad` is the gradient of the output: a Tensor, or for several outputs a
///     std::array (or std::vector) of them. `needs[i]` says whether that of input i is wanted; an undefined Tensor
///     counts as zero. A gradient larger than its input is summed over the axes along which the input was broadcast.
///   - members of type Saved for the tensors that backward uses, and whatever else it needs;
///   - optionally a member `const char* name`, static or not, in place of the type's name.
/// forward may call kernels or other operations; what it saves of these stays differentiable, so that gradients of
/// gradients are right when backward is made of differentiable operations.
template <class Op, class... Inputs>
auto apply(Op op, const Inputs&... inputs) {
  return detail::record(std::move(op), detail::as_input(inputs)...);
}

}  // namespace xgrad
