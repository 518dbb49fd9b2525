#pragma once
// Operations as plain structs, recorded by apply().

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "inplace.hpp"
#include "operand.hpp"
#include "profile.hpp"

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
    // Not a string: an operation may run when the objects of the program are being destroyed.
    static constexpr auto name = [] {
      std::array<char, type_name<Op>().size() + 1> text{};
      std::copy_n(type_name<Op>().data(), type_name<Op>().size(), text.data());
      return text;
    }();
    return name.data();
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

/// Whether the output `index` has a gradient, if it is floating.
template <class Op>
constexpr bool is_differentiable(std::size_t index) {
  if constexpr (requires { Op::non_differentiable; })
    for (const auto excluded : Op::non_differentiable)
      if (static_cast<std::size_t>(excluded) == index) return false;
  return true;
}

template <class Op>
constexpr bool is_in_place() {
  if constexpr (requires { Op::in_place; })
    return Op::in_place;
  else
    return false;
}

/// Makes `output` the output `index` of `node`. A tensor that others hold too (an input, a saved output) is not
/// touched: a new handle to its elements takes its place; it is a view if forward returned an input. An output without
/// gradient, integer or not differentiable, gets no place in the graph.
void attach(Tensor& output, Reference<Node> node, OutputInfo& info, std::uint32_t index, bool is_input,
            bool is_differentiable);
/// The edge for an input of the operation `op`; throws Error for a view whose elements changed since it was taken.
Edge edge_to(const char* op, const Tensor& input);
[[noreturn]] void fail_gradient_count(const char* op, std::size_t gradients, std::size_t inputs);
/// Throws Error that names the first undefined input of an operation whose forward used one; where there is none,
/// throws on what is being handled.
[[noreturn]] void fail_undefined_input(const char* op, std::initializer_list<bool> defined);
[[noreturn]] void fail_once_differentiable(const char* op);
/// Throws Error unless an in-place forward returned its first input.
void expect_same_memory(const char* op, const Tensor& input, const Tensor& result);
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
/// An operation that can add its gradient to one that is there; see apply().
template <class Op>
concept AddsBackward = requires {
  &Op::add_backward;
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

  explicit OpNode(Op&& op) : name_(op_name(op)), op_(std::move(op)) {
    if constexpr (AddsBackward<Op>) adds_in_place_ = true;
  }

  Op& op() { return *op_; }
  const char* name() const override { return name_; }
  // An operation that holds no resource saved no tensor: there is nothing to free, and backward may run again.
  void release_saved() noexcept override {
    if constexpr (!std::is_trivially_destructible_v<Op>) op_.reset();
  }
  bool released() const noexcept override { return !op_.has_value(); }

  std::vector<Tensor> saved() const override {
    std::vector<Tensor> tensors;
    if constexpr (std::is_copy_constructible_v<Op>) {
      if (!op_) return tensors;
      const CollectSaved collecting(tensors);
      [[maybe_unused]] const Op copy(*op_);
    }
    return tensors;
  }

  template <class... Inputs>
  void take_edges(const Inputs&... inputs) {
    if constexpr (InputCount == 0) {
      std::size_t count = 0;
      (each_tensor(inputs, [&](const Tensor&) { ++count; }), ...);
      edges_.resize(count);
    }
    std::size_t at = 0;
    (each_tensor(inputs, [&](const Tensor& input) { edges_[at++] = edge_to(name(), input); }), ...);
  }

  /// Makes the node, which `owner` holds, the history of its outputs.
  template <class... Inputs>
  void connect(Reference<Node> owner, Result& result, const Inputs&... inputs) {
    if constexpr (output_count == 0) {
      std::size_t count = 0;
      each_tensor(result, [&](Tensor&) { ++count; });
      outputs_.resize(count);
    }
    enter_graph(edges_, outputs_);
    std::uint32_t index = 0;
    each_tensor(result, [&](Tensor& output) {
      bool is_input = false;
      [[maybe_unused]] const auto compare = [&](const Tensor& input) {
        is_input = is_input || input.reference() == output.reference();
      };
      (each_tensor(inputs, compare), ...);
      attach(output, output_count == 1 ? std::move(owner) : owner, outputs_[index], index, is_input,
             is_differentiable<Op>(index));
      ++index;
    });
  }

  void backward(std::span<Tensor> outputs, std::span<Tensor> inputs, Needs needs) override {
    if constexpr (requires { Op::once_differentiable; })
      if (grad_enabled && Op::once_differentiable) fail_once_differentiable(name());
    if constexpr (std::is_same_v<Result, Tensor>) {
      distribute(call(outputs[0], needs), inputs);
    } else {
      FixedOrVector<Tensor, output_count> gradients;
      if constexpr (output_count == 0) gradients.resize(outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i)
        gradients[i] = outputs[i].defined() || !is_floating(outputs_[i].dtype) || !is_differentiable<Op>(i)
                           ? std::move(outputs[i])
                           : zero_gradient(outputs_[i]);
      distribute(call(gradients, needs), inputs);
    }
  }

  void add_backward([[maybe_unused]] std::span<Tensor> outputs, [[maybe_unused]] const Tensor& sum) override {
    if constexpr (AddsBackward<Op>) {
      static_assert(InputCount == 1, "an operation with add_backward has one input");
      if constexpr (std::is_same_v<Result, Tensor>) {
        op_->add_backward(outputs[0], sum);
      } else {
        FixedOrVector<Tensor, output_count> gradients;
        if constexpr (output_count == 0) gradients.resize(outputs.size());
        std::move(outputs.begin(), outputs.end(), gradients.begin());
        op_->add_backward(gradients, sum);
      }
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
    if constexpr (requires { op_->backward(gradients, needs); }) {
      return op_->backward(gradients, needs);
    } else {
      static_assert(
          requires { op_->backward(gradients); },
          "an operation has a member backward(grad) or backward(grad, Needs needs), const, where grad is a "
          "const Tensor&, or for several outputs a const std::array<Tensor, n>& (std::vector where forward "
          "returns one)");
      return op_->backward(gradients);
    }
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
inline const Tensor& as_input(const Borrowed& tensor) { return tensor; }
inline const std::vector<Tensor>& as_input(const std::vector<Tensor>& tensors) { return tensors; }
inline Tensor as_input(const Saved& saved) { return saved; }
inline Tensor as_input(const std::optional<Tensor>& tensor) { return tensor.value_or(Tensor()); }

inline bool is_defined(const Tensor& tensor) { return tensor.defined(); }
inline bool is_defined(const std::vector<Tensor>&) { return true; }

template <class Op, class... Inputs>
[[gnu::always_inline]] inline auto run_forward(Op& op, Inputs&... inputs) {
  static_assert(
      requires { op.forward(inputs...); },
      "forward of the operation takes as many tensors as apply() was given (a const std::vector<Tensor>& "
      "where it was given a vector)");
  using Result = std::remove_cvref_t<decltype(op.forward(inputs...))>;
  try {
    return Result(op.forward(inputs...));
  } catch (const UndefinedTensor&) {
    fail_undefined_input(op_name(op), {is_defined(inputs)...});
  }
}

/// An operation that writes its result over its first input.
template <class Op, class... Others>
Tensor record_in_place(Op op, const Tensor& self, const Others&... others) {
  constexpr std::size_t count = (is_vector<Others> || ...) ? 0 : 1 + sizeof...(Others);
  const char* const name = op_name(op);
  check(self.defined(), name, ": the tensor to change in place is undefined; give it a value");
  expect_writable(name, self);
  const bool recording = grad_enabled && (self.requires_grad() || (wants_grad(others) || ...));
  auto* node = new OpNode<Op, count, Tensor>(std::move(op));
  auto owner = Reference<Node>::adopt(node);
  std::optional<Rebase> rebase;
  if (recording) {
    expect_recordable(name, self);
    node->take_edges(self, others...);
    rebase.emplace(self);
  }
  Tensor memory = same_memory(self);  // without a place in the graph: forward works on the elements
  self.impl().storage->raise_version(name);
  Tensor result;
  {
    const NoGrad no_grad;
    result = run_forward(node->op(), memory, others...);
  }
  self.impl().storage->note_change(name);  // not the operations inside it
  expect_same_memory(name, self, result);
  if (!recording) return self;
  node->connect(std::move(owner), result);
  return rebase->onto(result);
}

template <class Op, class... Inputs>
auto record_new(Op op, const Inputs&... inputs) {
  using Result = decltype(run_forward(op, inputs...));
  if (!grad_enabled || !(wants_grad(inputs) || ...)) return run_forward(op, inputs...);
  constexpr std::size_t count = (is_vector<Inputs> || ...) ? 0 : sizeof...(Inputs);
  auto* node = new OpNode<Op, count, Result>(std::move(op));
  auto owner = Reference<Node>::adopt(node);
  Result result = run_forward(node->op(), inputs...);
  node->take_edges(inputs...);
  node->connect(std::move(owner), result, inputs...);
  return result;
}

template <class Op, class... Inputs>
auto record(Op op, const Inputs&... inputs) {
  const char* const name = op_name(op);
  return with_memory_for(name, [&] {
    ProfileEvent event(name, "forward");
    auto result = [&] {
      if constexpr (is_in_place<Op>())
        return record_in_place(std::move(op), inputs...);
      else
        return record_new(std::move(op), inputs...);
    }();
    if (event) [[unlikely]] {
      (each_tensor(inputs, [&](const Tensor& input) { event.add_input(input); }), ...);
      each_tensor(result, [&](const Tensor& output) { event.add_output(output); });
    }
    return result;
  });
}

struct Apply {
  template <class Op, class A>
  auto operator()(Op op, const A& a, CallSite site = CallSite::here()) const {
    const CallSiteScope scope(site);
    return record(std::move(op), as_input(a));
  }
  template <class Op, class A, class B>
  auto operator()(Op op, const A& a, const B& b, CallSite site = CallSite::here()) const {
    const CallSiteScope scope(site);
    return record(std::move(op), as_input(a), as_input(b));
  }
  template <class Op, class A, class B, class C>
  auto operator()(Op op, const A& a, const B& b, const C& c, CallSite site = CallSite::here()) const {
    const CallSiteScope scope(site);
    return record(std::move(op), as_input(a), as_input(b), as_input(c));
  }
  template <class Op, class... Inputs>
  requires(sizeof...(Inputs) > 3) auto operator()(Op op, const Inputs&... inputs) const {
    return record(std::move(op), as_input(inputs)...);
  }
};

}  // namespace detail

/// apply(Op{...}, inputs...) runs an operation and records it where an input requires a gradient.
///
/// An operation is a struct with
///   - `forward(const Tensor&...)` or `forward(const std::vector<Tensor>&)`, which gives a Tensor, or several as
///     std::array, std::pair, std::tuple or std::vector; integer outputs have no gradient;
///   - `backward(grad)` or `backward(grad, Needs needs)`, const, which gives the gradient of the one input, or of each
///     input as array, pair, tuple or vector. `grad` is the gradient of the output: a Tensor, or for several outputs a
///     std::array (or std::vector) of them, zero for an output that did not matter, undefined for one that has none.
///     `needs[i]` says whether that of input i is wanted. An undefined Tensor counts as zero. A gradient larger than
///     its input is summed over the axes along which the input was broadcast, and one of the other floating dtype is
///     converted; everything else that does not fit the input is an Error;
///   - members of type Saved for the tensors that backward uses, and whatever else it needs;
///   - optionally a member `const char* name`, static or not, in place of the type's name;
///   - optionally a rule for forward mode (jvp, see derivatives.hpp); without one it is derived from backward, which
///     then runs, recorded. One of
///       `jvp(const Tensor&...)`, const: from the tangents of the inputs, one for each and undefined where zero, (or a
///         vector of them, where forward takes one), to the tangent of the output, or of each output as forward gives
///         them, undefined where zero, of the output's shape. It may use what forward saved for these inputs;
///       `static constexpr bool elementwise = true`: element i of the one output depends only on elements i of the
///         inputs, so that backward says it all;
///       `static constexpr bool linear = true`: linear in its one input, so that forward says it all;
///   - optionally `add_backward(grad, const Tensor& sum)`, const, for an operation of one input whose gradient is zero
///     but for a part: adds that part to `sum`, dense and of the input's shape, in place. Backward calls it where the
///     input has a gradient from elsewhere already and derivatives are not recorded; of several outputs' gradients,
///     those that did not matter are undefined here;
///   - optionally `static constexpr int non_differentiable[] = {1};`: outputs that count as constants;
///   - optionally `static constexpr bool once_differentiable = true;`: backward is not made of differentiable
///     operations, and a pass with create_graph, whose gradients would lack a term, is an Error;
///   - optionally `static constexpr bool in_place = true;`: forward writes over its first input and returns it. Nothing
///     is recorded inside it, and what it saves of that input must be saved after it is written (before: a clone).
///     `y = apply(Op{}, y)` raises the version of y's memory; what Tensor's members in place cannot change, it cannot.
///
/// An input is a Tensor, a std::vector of them, or a std::optional<Tensor>: without a value, forward gets an undefined
/// Tensor, and no gradient is expected for it. forward may call kernels or other operations; what it saves of these
/// stays differentiable, so that gradients of gradients are right when backward is made of differentiable operations.
/// Throws Error in the name of the operation for everything that breaks this contract.
inline constexpr detail::Apply apply{};  // an object, so that std::apply is never considered

}  // namespace xgrad
