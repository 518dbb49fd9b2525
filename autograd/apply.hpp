#pragma once
// Operations as plain structs, recorded by apply().

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
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

/// The rules of push_forward that an operation can declare; see apply().
template <class Op>
concept HasJvp = requires {
  &Op::jvp;
};
template <class Op>
concept Elementwise = requires {
  requires Op::elementwise;
};
template <class Op>
concept LinearMap = requires {
  requires Op::linear;
};
/// Forward mode of a node of one output whose element i depends on elements i of the (broadcast) inputs alone.
void push_elementwise(Node& node, std::span<const Tensor> inputs, std::span<Tensor> outputs);
[[noreturn]] void fail_tangent_count(const char* op, std::size_t tangents, std::size_t outputs);

template <class Op, class... Inputs>
auto record(Op op, const Inputs&... inputs);

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

  void push_forward(std::span<const Tensor> inputs, std::span<Tensor> outputs) override {
    if constexpr (HasJvp<Op>) {
      take_tangents(call_jvp(inputs, std::make_index_sequence<InputCount>{}), outputs);
    } else if constexpr (Elementwise<Op>) {
      static_assert(std::is_same_v<Result, Tensor>, "an elementwise operation gives one Tensor");
      push_elementwise(*this, inputs, outputs);
    } else if constexpr (LinearMap<Op>) {
      static_assert(InputCount == 1, "a linear operation of several inputs has a jvp of its own");
      take_tangents(record(Op(*op_), inputs[0]), outputs);
    } else {
      Node::push_forward(inputs, outputs);
    }
  }

 private:
  template <std::size_t... I>
  auto call_jvp(std::span<const Tensor> inputs, std::index_sequence<I...>) {
    if constexpr (InputCount == 0 || requires { std::as_const(*op_).jvp(std::vector<Tensor>()); })
      return std::as_const(*op_).jvp(std::vector<Tensor>(inputs.begin(), inputs.end()));
    else
      return std::as_const(*op_).jvp(inputs[I]...);
  }

  template <class Tangents>
  void take_tangents(Tangents&& tangents, std::span<Tensor> outputs) {
    std::size_t actual = 0, at = 0;
    each_tensor(tangents, [&](Tensor&) { ++actual; });
    if (actual != outputs.size()) fail_tangent_count(name(), actual, outputs.size());
    each_tensor(tangents, [&](Tensor& tangent) { outputs[at++] = std::move(tangent); });
  }

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
///   - optionally a member `const char* name`, static or not, in place of the type's name;
///   - optionally a rule for forward mode (jvp, see derivatives.hpp); without one it is derived from backward, which
///     then runs, recorded. One of
///       `jvp(const Tensor&...)`, const: from the tangents of the inputs, one for each and undefined where zero, (or a
///         vector of them, where forward takes one), to the tangent of the output, or of each output as forward gives
///         them, undefined where zero, of the output's shape. It may use what forward saved for these inputs;
///       `static constexpr bool elementwise = true`: element i of the one output depends only on elements i of the
///         inputs, so that backward says it all;
///       `static constexpr bool linear = true`: linear in its one input, so that forward says it all.
/// forward may call kernels or other operations; what it saves of these stays differentiable, so that gradients of
/// gradients are right when backward is made of differentiable operations.
template <class Op, class... Inputs>
auto apply(Op op, const Inputs&... inputs) {
  return detail::record(std::move(op), detail::as_input(inputs)...);
}

}  // namespace xgrad
