#pragma once
// Operations as plain structs, recorded by apply().

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "../array/profile.hpp"
#include "inplace.hpp"
#include "operand.hpp"
#include "operation.hpp"

namespace xgrad {

namespace detail {

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
/// touched: a new handle to its elements takes its place; it is a view if forward returned an input. An output without
/// gradient, integer or not differentiable, gets no place in the graph.
void attach(Tensor& output, Reference<Node> node, OutputInfo& info, std::uint32_t index, bool is_input,
            bool is_differentiable);
/// Leads an edge to where an input of the operation `op`, one that requires a gradient, has its place; throws Error for
/// a view whose elements changed since it was taken.
void lead_to(Edge& edge, const char* op, const Tensor& input);
[[noreturn]] void fail_gradient_count(const char* op, std::size_t gradients, std::size_t inputs);
/// Throws Error that names the first undefined input of an operation whose forward used one; where there is none,
/// throws on what is being handled.
[[noreturn]] void fail_undefined_input(const char* op, std::initializer_list<bool> defined);
[[noreturn]] void fail_once_differentiable(const char* op);
/// Throws Error unless an in-place forward returned its first input.
void expect_same_memory(const char* op, const Tensor& input, const Tensor& result);
/// A zero gradient, for an output that none came for.
Tensor zero_gradient(const OutputInfo& info);

/// Whether no other handle leads to the elements.
inline bool owned_alone(const Tensor& tensor) {
  return tensor.reference()->unique() && tensor.impl().storage->unique();
}
/// Whether what an operation computed may be what it keeps: it is neither new nor, as gradients passed on are, of
/// `upstream`.
inline bool may_be_kept(const Tensor& result, std::span<const Tensor> upstream) {
  if (!result.defined() || owned_alone(result)) return false;
  for (const Tensor& from : upstream)
    if (from.defined() && from.impl().storage == result.impl().storage) return false;
  return true;
}
/// Of the results of `node`, copies those whose elements it keeps and goes on keeping, so that no one can change them.
/// `lists_saved` tells whether node.saved() is all that the node keeps.
void keep_out_of_reach(Node& node, bool lists_saved, std::span<const Tensor> upstream, std::span<Tensor> results);
/// Throws Error for a tensor that an operation was given as a member though a gradient is wanted of it.
[[noreturn]] void fail_kept_input(const char* op, std::string_view member, const Saved& saved);

/// Calls f with each Saved of a field.
template <class Field, class F>
void each_saved(const Field& field, F&& f) {
  if constexpr (std::is_same_v<Field, Saved>) {
    f(field);
  } else if constexpr (std::is_same_v<Field, std::optional<Saved>>) {
    if (field) f(*field);
  } else if constexpr (requires { requires std::is_same_v<typename Field::value_type, Saved>; }) {
    for (const Saved& saved : field) f(saved);
  }
}

/// Throws Error where the operation has tensors that require a gradient before forward runs: it was given them and not
/// apply(), so they would silently get none. A backward may use what was saved for it.
template <class Op>
void expect_no_kept_input(const char* name, const Op& op) {
  if constexpr (!std::is_trivially_destructible_v<Op> && fields_can_be_found<Op>()) {
    std::size_t index = 0;
    with_fields(op, [&](const auto&... field) {
      const auto expect = [&](const Saved& saved) {
        if (saved.requires_grad() && grad_enabled && !running_node) [[unlikely]]
          fail_kept_input(name, field_names<Op>[index], saved);
      };
      ((each_saved(field, expect), ++index), ...);
    });
  }
}

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

template <class Op, std::size_t InputCount, class Result>
class OpNode final : public Node {
 public:
  static constexpr std::size_t output_count = tensor_count<Result>();
  static constexpr bool may_hold_tensors = !std::is_trivially_destructible_v<Op>;

  explicit OpNode(Op&& op) : name_(op_name(op)), op_(std::move(op)) {
    if constexpr (AddsBackward<Op>) adds_in_place_ = true;
  }

  Op& op() { return *op_; }
  const char* name() const override { return name_; }
  // An operation that holds no resource saved no tensor: there is nothing to free, and backward may run again.
  void release_saved() noexcept override {
    if constexpr (may_hold_tensors) op_.reset();
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
    const auto take = [&](const Tensor& input) {
      if (input.requires_grad()) lead_to(edges_[at], name(), input);
      ++at;
    };
    (each_tensor(inputs, take), ...);
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
      distribute(call_backward(*op_, outputs[0], needs), outputs, inputs);
    } else {
      FixedOrVector<Tensor, output_count> gradients;
      if constexpr (output_count == 0) gradients.resize(outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i)
        gradients[i] = outputs[i].defined() || !is_floating(outputs_[i].dtype) || !is_differentiable<Op>(i)
                           ? std::move(outputs[i])
                           : zero_gradient(outputs_[i]);
      distribute(call_backward(*op_, gradients, needs), gradients, inputs);
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
      take_tangents(call_jvp(inputs, std::make_index_sequence<InputCount>{}), inputs, outputs);
    } else if constexpr (Elementwise<Op>) {
      static_assert(std::is_same_v<Result, Tensor>, "an elementwise operation gives one Tensor");
      push_elementwise(*this, inputs, outputs);
    } else if constexpr (LinearMap<Op>) {
      static_assert(InputCount == 1, "a linear operation of several inputs has a jvp of its own");
      take_tangents(record(Op(*op_), inputs[0]), inputs, outputs);
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
  void take_tangents(Tangents&& tangents, std::span<const Tensor> inputs, std::span<Tensor> outputs) {
    std::size_t actual = 0, at = 0;
    each_tensor(tangents, [&](Tensor&) { ++actual; });
    if (actual != outputs.size()) fail_tangent_count(name(), actual, outputs.size());
    bool shared = false;
    each_tensor(tangents, [&](Tensor& tangent) {
      if constexpr (may_hold_tensors) shared = shared || may_be_kept(tangent, inputs);
      outputs[at++] = std::move(tangent);
    });
    if (shared) keep_out_of_reach(*this, std::is_copy_constructible_v<Op>, inputs, outputs);
  }

  template <class Gradients>
  void distribute(Gradients&& gradients, [[maybe_unused]] std::span<const Tensor> upstream, std::span<Tensor> inputs) {
    std::size_t actual = 0, at = 0;
    each_tensor(gradients, [&](Tensor&) { ++actual; });
    if (actual != inputs.size()) fail_gradient_count(name(), actual, inputs.size());
    bool shared = false;
    each_tensor(gradients, [&](Tensor& gradient) {
      if constexpr (may_hold_tensors) shared = shared || may_be_kept(gradient, upstream);
      inputs[at++] = std::move(gradient);
    });
    if (shared) [[unlikely]]
      keep_out_of_reach(*this, std::is_copy_constructible_v<Op>, upstream, inputs);
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

inline bool is_defined(const Tensor& tensor) { return tensor.defined(); }
inline bool is_defined(const std::vector<Tensor>&) { return true; }

template <class Op, class... Inputs>
[[gnu::always_inline]] inline auto run_forward(Op& op, Inputs&... inputs) {
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
  expect_no_kept_input(name, op);
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
  expect_no_kept_input(op_name(op), op);
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
      (each_tensor(inputs, [&](const Tensor& input) { event.add_input(input.reference().get()); }), ...);
      each_tensor(result, [&](const Tensor& output) { event.add_output(output.reference().get()); });
    }
    return result;
  });
}

struct Apply {
  template <class Op, class A>
  auto operator()(Op op, const A& a, CallSite site = CallSite::here()) const {
    if constexpr (is_operation<Op, A>()) {
      const CallSiteScope scope(site);
      return record(std::move(op), as_input(a));
    }
  }
  template <class Op, class A, class B>
  auto operator()(Op op, const A& a, const B& b, CallSite site = CallSite::here()) const {
    if constexpr (is_operation<Op, A, B>()) {
      const CallSiteScope scope(site);
      return record(std::move(op), as_input(a), as_input(b));
    }
  }
  template <class Op, class A, class B, class C>
  auto operator()(Op op, const A& a, const B& b, const C& c, CallSite site = CallSite::here()) const {
    if constexpr (is_operation<Op, A, B, C>()) {
      const CallSiteScope scope(site);
      return record(std::move(op), as_input(a), as_input(b), as_input(c));
    }
  }
  template <class Op, class... Inputs>
  requires(sizeof...(Inputs) > 3) auto operator()(Op op, const Inputs&... inputs) const {
    if constexpr (is_operation<Op, Inputs...>()) return record(std::move(op), as_input(inputs)...);
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
///   - members of type Saved for the tensors that backward uses, and whatever else it needs. A member that is or holds
///   a
///     bare Tensor does not compile. A tensor that the struct has before forward runs is a constant: where it requires
///     a gradient, that is an Error; make it an input. A saved tensor that backward returns is copied, unless the pass
///     frees it;
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
