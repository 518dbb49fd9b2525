#include "derivatives.hpp"

#include <algorithm>

#include "composed.hpp"
#include "create.hpp"
#include "forward.hpp"
#include "primitives.hpp"

namespace xgrad::detail {

struct Recording {
  Tensors inputs = {}, outputs = {};
  Between graph = {};
  bool recorded = false;        // whether the caller records
  bool differentiable = false;  // and there is something outside to differentiate by
};

namespace {

bool any_requires_grad(const Tensors& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [](const Tensor& tensor) { return tensor.requires_grad(); });
}

Tensor fresh_handle(const Tensor& x, bool recorded) {
  return recorded && x.requires_grad() ? apply(Alias{}, x) : x.detach().requires_grad_();
}

Recording record(const char* op, const FunctionAt& function) {
  for (std::size_t i = 0; i < function.inputs.size(); ++i) {
    const Tensor& x = function.inputs[i];
    check(x.defined(), op, ": input ", i, " is undefined");
    check(is_floating(x.dtype()), op, ": input ", i, " is ", x.dtype(),
          ", which has no derivatives; convert it with .to(float32)");
  }
  Recording result{.recorded = is_grad_enabled()};
  const EnableGrad enable_grad;
  for (const Tensor& x : function.inputs)
    result.inputs.push_back(function.at_leaves ? x : fresh_handle(x, result.recorded));
  result.outputs = function.f(result.inputs);
  for (std::size_t k = 0; k < result.outputs.size(); ++k) {
    const Tensor& y = result.outputs[k];
    check(y.defined(), op, ": output ", k, " of the function is undefined");
    check(is_floating(y.dtype()), op, ": output ", k, " of the function is ", y.dtype(), ", which has no derivatives");
  }
  result.graph = graph_between(result.inputs, result.outputs);
  result.differentiable = result.recorded && result.graph.depends_on_others;
  return result;
}

void expect_one_element(const char* op, const Tensors& outputs) {
  check(outputs.size() == 1, op, ": the function gave ", outputs.size(), " tensors; it must give one, of one element");
  check(outputs[0].numel() == 1, op, ": the function gave a tensor of shape ", outputs[0].shape(),
        "; it must give one element: reduce it, as with sum");
}

void expect_like(const char* op, const char* vector, const Tensors& vectors, const char* other, const Tensors& others) {
  check(vectors.size() == others.size(), op, ": ", vectors.size(), " ", vector, "s for ", others.size(), " ", other,
        "s");
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    check(vectors[i].defined(), op, ": ", vector, " ", i, " is undefined");
    if (!others[i].defined()) continue;  // an error of its own
    check(vectors[i].shape() == others[i].shape() && vectors[i].dtype() == others[i].dtype(), op, ": ", vector, " ", i,
          " has shape ", vectors[i].shape(), " and dtype ", vectors[i].dtype(), "; ", other, " ", i, " has shape ",
          others[i].shape(), " and dtype ", others[i].dtype());
  }
}

/// Derivatives as the caller gets them: part of the graph, or else constants in memory of their own.
Tensors handed_out(Tensors tensors, const Tensors& like, bool differentiable) {
  const NoGrad no_grad;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Tensor& tensor = tensors[i];
    if (!tensor.defined()) {
      tensor = zeros_like(like[i]);
    } else if (!differentiable) {
      const bool owned = tensor.reference()->unique() && tensor.impl().storage->unique() && detail::is_dense(tensor);
      if (!owned || tensor.requires_grad()) tensor = tensor.clone();
    }
  }
  return tensors;
}

Tensors values_of(const Recording& recording) {
  Tensors values = recording.outputs;
  if (!recording.differentiable)
    for (Tensor& value : values)
      if (value.requires_grad()) value = value.detach();
  return values;
}

/// Gradients of the outputs, weighted, by the inputs; undefined where there is no dependence. The graph is kept.
Tensors pull_back(const Tensors& outputs, const Tensors& seeds, const Tensors& inputs, bool create_graph) {
  Tensors used, used_seeds, wanted, gradients(inputs.size());
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (outputs[k].requires_grad()) used.push_back(outputs[k]), used_seeds.push_back(seeds[k]);
  for (const Tensor& input : inputs)
    if (input.requires_grad()) wanted.push_back(input);
  if (used.empty() || wanted.empty()) return gradients;
  Tensors found = grad(used, wanted,
                       {.retain_graph = true,
                        .create_graph = create_graph,
                        .allow_unused = true,
                        .grad_outputs = std::move(used_seeds)});
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i)
    if (inputs[i].requires_grad()) gradients[i] = std::move(found[next++]);
  return gradients;
}

Tensors gradient(const Recording& recording, bool create_graph) {
  return pull_back(recording.outputs, {ones_like(recording.outputs[0])}, recording.inputs, create_graph);
}

/// Where the parts of a tensor lie in it, each a row or a column.
struct Parts {
  Shape whole, part, strides;
  std::int64_t step;
  Tensor of(const Tensor& dense, std::size_t index) const {
    return view(dense, part, strides, static_cast<std::int64_t>(index) * step);
  }
};

Tensor piece(const Parts& parts, std::size_t index, std::size_t count, const Tensor& whole);

/// A tensor from its parts; undefined ones are zero.
struct Assemble {
  static constexpr const char* name = "assemble";
  Parts parts;
  DType dtype;
  std::size_t count = 0;
  Tensor forward(const Tensors& tensors) {
    count = tensors.size();
    const Tensor out = zeros(parts.whole, {.dtype = dtype});
    for (std::size_t i = 0; i < count; ++i)
      if (tensors[i].defined()) overwrite(parts.of(out, i), tensors[i]);
    return out;
  }
  Tensors backward(const Tensor& grad) const {
    Tensors gradients;
    for (std::size_t i = 0; i < count; ++i) gradients.push_back(piece(parts, i, count, grad));
    return gradients;
  }
  Tensor jvp(const Tensors& tangents) const { return xgrad::apply(Assemble{parts, dtype}, tangents); }
};

struct Piece {
  static constexpr const char* name = "piece";
  static constexpr bool linear = true;
  Parts parts;
  std::size_t index, count;
  Tensor forward(const Tensor& whole) const { return parts.of(dense(whole), index); }
  Tensor backward(const Tensor& grad) const {
    Tensors tensors(count);
    tensors[index] = grad;
    return xgrad::apply(Assemble{parts, grad.dtype()}, tensors);
  }
};

Tensor piece(const Parts& parts, std::size_t index, std::size_t count, const Tensor& whole) {
  return apply(Piece{parts, index, count}, whole);
}

Shape shape_of_jacobian(const char* op, const Tensor& y, const Tensor& x) {
  check(y.dim() + x.dim() <= Shape::max_rank, op, ": the derivative of an output of shape ", y.shape(),
        " by an input of shape ", x.shape(), " has ", y.dim() + x.dim(), " axes, more than ", Shape::max_rank,
        "; flatten them");
  Shape shape = y.shape();
  for (const std::int64_t size : x.shape()) shape.push_back(size);
  return shape;
}

/// 1 at one element, 0 elsewhere.
Tensor unit(const Tensor& like, std::int64_t element) {
  const Tensor vector = zeros(like.shape(), {.dtype = like.dtype()});
  detail::store("jacobian", 1, like.dtype(),
                vector.impl().data + static_cast<std::size_t>(element) * item_size(like.dtype()));
  return vector;
}

/// From parts[i], the derivative of output element i by all inputs.
Tensor from_rows(const Tensors& parts, const Shape& shape, const Tensor& x, DType dtype) {
  return xgrad::apply(Assemble{{shape, x.shape(), row_major_strides(x.shape()), x.numel()}, dtype}, parts);
}

/// From parts[j], the derivative of all outputs by input element j.
Tensor from_columns(const Tensors& parts, const Shape& shape, const Tensor& y, const Tensor& x) {
  Shape strides = row_major_strides(y.shape());
  for (std::int64_t& stride : strides) stride *= x.numel();
  return xgrad::apply(Assemble{{shape, y.shape(), strides, 1}, y.dtype()}, parts);
}

void expect_jacobian_shapes(const char* op, const Tensors& outputs, const Tensors& inputs) {
  for (const Tensor& y : outputs)
    for (const Tensor& x : inputs) shape_of_jacobian(op, y, x).numel();
}

std::vector<Tensors> jacobian_by_rows(const char* op, const Tensors& outputs, const Tensors& inputs,
                                      bool create_graph) {
  const GradMode mode(create_graph);
  std::vector<Tensors> blocks;
  for (const Tensor& y : outputs) {
    std::vector<Tensors> rows(inputs.size());
    for (std::int64_t element = 0; element < y.numel(); ++element) {
      Tensors gradients = pull_back({y}, {unit(y, element)}, inputs, create_graph);
      for (std::size_t i = 0; i < inputs.size(); ++i) rows[i].push_back(std::move(gradients[i]));
    }
    blocks.emplace_back();
    for (std::size_t i = 0; i < inputs.size(); ++i)
      blocks.back().push_back(from_rows(rows[i], shape_of_jacobian(op, y, inputs[i]), inputs[i], y.dtype()));
  }
  return blocks;
}

std::vector<Tensors> jacobian_by_columns(const char* op, const Recording& recording) {
  const GradMode mode(recording.differentiable);
  const Tensors& outputs = recording.outputs;
  std::vector<Tensors> blocks(outputs.size());
  for (std::size_t i = 0; i < recording.inputs.size(); ++i) {
    const Tensor& x = recording.inputs[i];
    std::vector<Tensors> columns(outputs.size());
    for (std::int64_t element = 0; element < x.numel(); ++element) {
      Tensors tangents(recording.inputs.size());
      tangents[i] = unit(x, element);
      Tensors changes = push_forward(recording.graph, recording.inputs, tangents, outputs);
      for (std::size_t k = 0; k < outputs.size(); ++k) columns[k].push_back(std::move(changes[k]));
    }
    for (std::size_t k = 0; k < outputs.size(); ++k)
      blocks[k].push_back(from_columns(columns[k], shape_of_jacobian(op, outputs[k], x), outputs[k], x));
  }
  return blocks;
}

std::int64_t elements(const Tensors& tensors) {
  std::int64_t count = 0;
  for (const Tensor& tensor : tensors) count += tensor.numel();
  return count;
}

}  // namespace

std::pair<Tensor, Tensors> value_and_grad(const char* op, const FunctionAt& function) {
  return with_memory_for(op, [&]() -> std::pair<Tensor, Tensors> {
    const Recording recording = record(op, function);
    expect_one_element(op, recording.outputs);
    Tensors gradients = gradient(recording, recording.differentiable);
    return {values_of(recording)[0], handed_out(std::move(gradients), recording.inputs, recording.differentiable)};
  });
}

RecordedPullback::RecordedPullback(const FunctionAt& function)
    : recording_(std::make_shared<const Recording>(record("vjp", function))), values_(values_of(*recording_)) {}

Tensors RecordedPullback::operator()(const Tensors& gradients) const {
  expect_like("pullback", "gradient", gradients, "output", values_);
  const bool differentiable = is_grad_enabled() && (recording_->differentiable || any_requires_grad(gradients));
  return handed_out(pull_back(recording_->outputs, gradients, recording_->inputs, differentiable), recording_->inputs,
                    differentiable);
}

std::pair<Tensors, Tensors> jvp(const FunctionAt& function, const Tensors& tangents) {
  return with_memory_for("jvp", [&]() -> std::pair<Tensors, Tensors> {
    expect_like("jvp", "tangent", tangents, "input", function.inputs);
    const Recording recording = record("jvp", function);
    const bool differentiable = recording.differentiable || (recording.recorded && any_requires_grad(tangents));
    const GradMode mode(differentiable);
    Tensors changes = push_forward(recording.graph, recording.inputs, tangents, recording.outputs);
    return {values_of(recording), handed_out(std::move(changes), recording.outputs, differentiable)};
  });
}

std::vector<Tensors> jacobian(const FunctionAt& function, DerivativeMode mode) {
  return with_memory_for("jacobian", [&]() -> std::vector<Tensors> {
    const Recording recording = record("jacobian", function);
    expect_jacobian_shapes("jacobian", recording.outputs, recording.inputs);
    if (mode == DerivativeMode::automatic)
      mode =
          elements(recording.inputs) < elements(recording.outputs) ? DerivativeMode::forward : DerivativeMode::reverse;
    if (mode == DerivativeMode::forward) return jacobian_by_columns("jacobian", recording);
    return jacobian_by_rows("jacobian", recording.outputs, recording.inputs, recording.differentiable);
  });
}

std::vector<Tensors> hessian(const FunctionAt& function) {
  return with_memory_for("hessian", [&]() -> std::vector<Tensors> {
    const Recording recording = record("hessian", function);
    expect_one_element("hessian", recording.outputs);
    expect_jacobian_shapes("hessian", recording.inputs, recording.inputs);
    Tensors gradients = gradient(recording, true);
    for (std::size_t i = 0; i < gradients.size(); ++i)
      if (!gradients[i].defined()) gradients[i] = zeros_like(recording.inputs[i]);
    return jacobian_by_rows("hessian", gradients, recording.inputs, recording.differentiable);
  });
}

Tensors hvp(const FunctionAt& function, const Tensors& vectors) {
  return with_memory_for("hvp", [&]() -> Tensors {
    expect_like("hvp", "vector", vectors, "input", function.inputs);
    const Recording recording = record("hvp", function);
    expect_one_element("hvp", recording.outputs);
    const bool differentiable = recording.differentiable || (recording.recorded && any_requires_grad(vectors));
    const Tensors gradients = gradient(recording, true);
    return handed_out(pull_back(gradients, vectors, recording.inputs, differentiable), recording.inputs,
                      differentiable);
  });
}

}  // namespace xgrad::detail
