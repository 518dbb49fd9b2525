#pragma once
// The operations of differential.py, by the same names.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <xgrad/xgrad.hpp>

#include "operation_samples.hpp"

namespace reference {

using xgrad::Scalar;
using xgrad::Shape;
using xgrad::Tensor;

inline Shape shape_of(const nlohmann::json& numbers) {
  const auto sizes = numbers.get<std::vector<std::int64_t>>();
  return Shape(std::span<const std::int64_t>(sizes));
}

inline xgrad::DType dtype_named(const std::string& name) {
  for (const xgrad::DType dtype : {xgrad::float32, xgrad::float64, xgrad::int64, xgrad::bool_})
    if (name == xgrad::name(dtype)) return dtype;
  throw std::invalid_argument(name);
}

inline Scalar scalar_of(const nlohmann::json& number) {
  if (number.is_number_integer()) return number.get<std::int64_t>();
  return to_double(number);
}

/// The operands of a call and its other arguments.
struct Call {
  std::vector<Tensor> x;
  const nlohmann::json& args;

  std::int64_t integer(const char* name) const { return args.at(name).get<std::int64_t>(); }
  double real(const char* name) const { return to_double(args.at(name)); }
  bool flag(const char* name) const { return args.at(name).get<bool>(); }
  Shape shape(const char* name) const { return shape_of(args.at(name)); }
  Scalar number() const { return scalar_of(args.at("number")); }
  std::optional<Scalar> bound(const char* name) const {
    if (args.at(name).is_null()) return {};
    return scalar_of(args.at(name));
  }
  /// An input that may be left out.
  Tensor input(std::size_t i) const { return i < x.size() ? x[i] : Tensor(); }
  xgrad::Reduction reduction() const {
    const std::string name = args.at("reduction");
    return name == "mean" ? xgrad::Reduction::mean : name == "sum" ? xgrad::Reduction::sum : xgrad::Reduction::none;
  }
};

using Operations = std::map<std::string, std::function<std::vector<Tensor>(const Call&)>>;

inline void add_elementwise(Operations& table) {
  using namespace xgrad;
  const auto unary = [&table](const char* name, auto f) {
    table[name] = [f](const Call& c) { return std::vector{f(c.x[0])}; };
  };
#define UNARY(name) unary(#name, [](const Tensor& x) { return name(x); })
  UNARY(exp);
  UNARY(expm1);
  UNARY(log);
  UNARY(log1p);
  UNARY(sqrt);
  UNARY(rsqrt);
  UNARY(sin);
  UNARY(cos);
  UNARY(tan);
  UNARY(asin);
  UNARY(acos);
  UNARY(atan);
  UNARY(sinh);
  UNARY(cosh);
  UNARY(tanh);
  UNARY(sigmoid);
  UNARY(erf);
  UNARY(erfc);
  UNARY(lgamma);
  UNARY(digamma);
  UNARY(square);
  UNARY(reciprocal);
  UNARY(abs);
  UNARY(sign);
  UNARY(neg);
  UNARY(isnan);
  UNARY(isinf);
  UNARY(isfinite);
  UNARY(logical_not);
  UNARY(floor);
  UNARY(relu);
  UNARY(silu);
  UNARY(max);
  UNARY(min);
  UNARY(argmax);
  UNARY(argmin);
  UNARY(squeeze);
#undef UNARY
  unary("lgamma_negative", [](const Tensor& x) { return lgamma(x); });
  unary("digamma_negative", [](const Tensor& x) { return digamma(x); });
  unary("clone", [](const Tensor& x) { return x.clone(); });
  unary("contiguous", [](const Tensor& x) { return x.contiguous(); });
  table["polygamma"] = [](const Call& c) { return std::vector{polygamma(c.integer("n"), c.x[0])}; };
  table["gelu"] = [](const Call& c) { return std::vector{gelu(c.x[0], c.args.at("approximate").get<std::string>())}; };
  table["leaky_relu"] = [](const Call& c) { return std::vector{leaky_relu(c.x[0], c.real("slope"))}; };
  table["elu"] = [](const Call& c) { return std::vector{elu(c.x[0], c.real("alpha"))}; };
  table["softplus"] = [](const Call& c) { return std::vector{softplus(c.x[0], c.real("beta"), c.real("threshold"))}; };
  table["to"] = [](const Call& c) { return std::vector{c.x[0].to(dtype_named(c.args.at("dtype")))}; };

  const auto binary = [&table](const std::string& name, auto f) {
    table[name] = [f](const Call& c) { return std::vector{f(c.x[0], c.x[1])}; };
  };
  const auto with_number = [&table](const std::string& name, auto f) {
    table[name + "_number"] = [f](const Call& c) { return std::vector{f(c.x[0], c.number())}; };
  };
#define BINARY(name) binary(#name, [](const Tensor& a, const Tensor& b) { return name(a, b); })
#define COMPARISON(name) \
  BINARY(name);          \
  with_number(#name, [](const Tensor& a, Scalar b) { return name(a, b); })
#define ARITHMETIC(name) \
  COMPARISON(name);      \
  table["number_" #name] = [](const Call& c) { return std::vector{name(c.number(), c.x[0])}; }
  ARITHMETIC(add);
  ARITHMETIC(sub);
  ARITHMETIC(mul);
  ARITHMETIC(div);
  ARITHMETIC(pow);
  COMPARISON(eq);
  COMPARISON(ne);
  COMPARISON(lt);
  COMPARISON(le);
  COMPARISON(gt);
  COMPARISON(ge);
  BINARY(maximum);
  BINARY(minimum);
  BINARY(atan2);
  BINARY(logical_and);
  BINARY(logical_or);
  BINARY(logical_xor);
#undef ARITHMETIC
#undef COMPARISON
#undef BINARY
  binary("pow_signed", [](const Tensor& a, const Tensor& b) { return pow(a, b); });
  table["allclose"] = [](const Call& c) {
    return std::vector{tensor(allclose(c.x[0], c.x[1], {.equal_nan = c.flag("equal_nan")}), {.dtype = bool_})};
  };
  table["where"] = [](const Call& c) { return std::vector{where(c.x[0], c.x[1], c.x[2])}; };
  table["where_number"] = [](const Call& c) { return std::vector{where(c.x[0], c.x[1], c.number())}; };
  table["masked_fill"] = [](const Call& c) { return std::vector{masked_fill(c.x[0], c.x[1], c.number())}; };
  table["clamp"] = [](const Call& c) { return std::vector{clamp(c.x[0], c.bound("min"), c.bound("max"))}; };
}

inline void add_reductions(Operations& table) {
  using namespace xgrad;
#define REDUCTION(name)                                                                \
  table[#name] = [](const Call& c) {                                                   \
    return std::vector{name(c.x[0], c.shape("axes"), {.keepdim = c.flag("keepdim")})}; \
  }
  REDUCTION(sum);
  REDUCTION(mean);
  REDUCTION(prod);
  REDUCTION(amax);
  REDUCTION(amin);
  REDUCTION(all);
  REDUCTION(any);
  REDUCTION(logsumexp);
#undef REDUCTION
  const auto moment = [](const Call& c) {
    return VarOptions{.correction = c.integer("correction"), .keepdim = c.flag("keepdim")};
  };
  table["var"] = [moment](const Call& c) { return std::vector{var(c.x[0], c.shape("axes"), moment(c))}; };
  table["stddev"] = [moment](const Call& c) { return std::vector{stddev(c.x[0], c.shape("axes"), moment(c))}; };
  table["norm"] = [](const Call& c) {
    return std::vector{norm(c.x[0], c.real("p"), c.shape("axes"), {.keepdim = c.flag("keepdim")})};
  };
  table["count_nonzero"] = [](const Call& c) { return std::vector{count_nonzero(c.x[0], c.shape("axes"))}; };
  table["softmax"] = [](const Call& c) { return std::vector{softmax(c.x[0], c.integer("axis"))}; };
  table["log_softmax"] = [](const Call& c) { return std::vector{log_softmax(c.x[0], c.integer("axis"))}; };
  table["cumsum"] = [](const Call& c) { return std::vector{cumsum(c.x[0], c.integer("axis"))}; };
  const auto both = [](const ValuesAndIndices& found) { return std::vector{found.values, found.indices}; };
  table["max_along"] = [both](const Call& c) {
    return both(max(c.x[0], c.integer("axis"), {.keepdim = c.flag("keepdim")}));
  };
  table["min_along"] = [both](const Call& c) {
    return both(min(c.x[0], c.integer("axis"), {.keepdim = c.flag("keepdim")}));
  };
  table["argmax_along"] = [](const Call& c) {
    return std::vector{argmax(c.x[0], c.integer("axis"), {.keepdim = c.flag("keepdim")})};
  };
  table["argmin_along"] = [](const Call& c) {
    return std::vector{argmin(c.x[0], c.integer("axis"), {.keepdim = c.flag("keepdim")})};
  };
}

inline void add_shapes(Operations& table) {
  using namespace xgrad;
  table["reshape"] = [](const Call& c) { return std::vector{reshape(c.x[0], c.shape("shape"))}; };
  table["flatten"] = [](const Call& c) { return std::vector{flatten(c.x[0], c.integer("begin"), c.integer("end"))}; };
  table["transpose"] = [](const Call& c) { return std::vector{transpose(c.x[0], c.integer("a"), c.integer("b"))}; };
  table["permute"] = [](const Call& c) { return std::vector{permute(c.x[0], c.shape("axes"))}; };
  table["squeeze_axis"] = [](const Call& c) { return std::vector{squeeze(c.x[0], c.integer("axis"))}; };
  table["unsqueeze"] = [](const Call& c) { return std::vector{unsqueeze(c.x[0], c.integer("axis"))}; };
  table["expand"] = [](const Call& c) { return std::vector{expand(c.x[0], c.shape("shape"))}; };
  table["slice"] = [](const Call& c) {
    return std::vector{slice(c.x[0], c.integer("axis"), c.integer("begin"), c.integer("end"), c.integer("step"))};
  };
  table["narrow"] = [](const Call& c) {
    return std::vector{narrow(c.x[0], c.integer("axis"), c.integer("begin"), c.integer("length"))};
  };
  table["select"] = [](const Call& c) { return std::vector{select(c.x[0], c.integer("axis"), c.integer("index"))}; };
  table["split"] = [](const Call& c) { return split(c.x[0], c.integer("size"), c.integer("axis")); };
  table["flip"] = [](const Call& c) { return std::vector{flip(c.x[0], c.shape("axes"))}; };
  table["concat"] = [](const Call& c) { return std::vector{concat(c.x, c.integer("axis"))}; };
  table["stack"] = [](const Call& c) { return std::vector{stack(c.x, c.integer("axis"))}; };
  table["gather"] = [](const Call& c) { return std::vector{gather(c.x[0], c.integer("axis"), c.x[1])}; };
  table["scatter_add"] = [](const Call& c) {
    return std::vector{scatter_add(c.x[0], c.integer("axis"), c.x[1], c.x[2])};
  };
  table["index_select"] = [](const Call& c) { return std::vector{index_select(c.x[0], c.integer("axis"), c.x[1])}; };
  table["index_add"] = [](const Call& c) { return std::vector{index_add(c.x[0], c.integer("axis"), c.x[1], c.x[2])}; };
}

inline void add_networks(Operations& table) {
  using namespace xgrad;
  table["matmul"] = [](const Call& c) { return std::vector{matmul(c.x[0], c.x[1])}; };
  table["linear"] = [](const Call& c) { return std::vector{linear(c.x[0], c.x[1], c.input(2))}; };
  table["layer_norm"] = [](const Call& c) {
    return std::vector{layer_norm(c.x[0], c.shape("shape"), c.input(1), c.input(2), c.real("eps"))};
  };
  table["batch_norm"] = [](const Call& c) {
    const Tensor running_mean = arange(c.x[0].size(1), {.dtype = float64}).to(c.x[0].dtype()) / 8.0,
                 running_var = running_mean + 0.5;
    const Tensor y = batch_norm(c.x[0], running_mean, running_var, c.input(1), c.input(2),
                                {.training = c.flag("training"), .momentum = c.real("momentum"), .eps = c.real("eps")});
    return std::vector{y, running_mean, running_var};
  };
  table["cross_entropy"] = [](const Call& c) {
    return std::vector{cross_entropy(
        c.x[0], c.x[1], {.weight = c.input(2), .reduction = c.reduction(), .label_smoothing = c.real("smoothing")})};
  };
  table["cross_entropy_probabilities"] = [](const Call& c) {
    return std::vector{
        cross_entropy(c.x[0], c.x[1], {.reduction = c.reduction(), .label_smoothing = c.real("smoothing")})};
  };
  table["nll_loss"] = [](const Call& c) {
    return std::vector{nll_loss(c.x[0], c.x[1], {.weight = c.input(2), .reduction = c.reduction()})};
  };
  table["mse_loss"] = [](const Call& c) { return std::vector{mse_loss(c.x[0], c.x[1], c.reduction())}; };
  table["l1_loss"] = [](const Call& c) { return std::vector{l1_loss(c.x[0], c.x[1], c.reduction())}; };
  table["binary_cross_entropy_with_logits"] = [](const Call& c) {
    return std::vector{binary_cross_entropy_with_logits(c.x[0], c.x[1], {.reduction = c.reduction()})};
  };
  table["attention"] = [](const Call& c) {
    AttentionOptions options{.causal = c.flag("causal")};
    if (!c.args.at("scale").is_null()) options.scale = c.real("scale");
    return std::vector{scaled_dot_product_attention(c.x[0], c.x[1], c.x[2], options)};
  };
}

/// Under NoGrad, into a view x[0]; the output is what the view is of, the last operand.
inline void add_in_place(Operations& table) {
  using namespace xgrad;
#define IN_PLACE(name)               \
  table[#name] = [](const Call& c) { \
    Tensor x = c.x[0];               \
    x.name(c.x[1]);                  \
    return std::vector{c.x.back()};  \
  };
#define IN_PLACE_NUMBER(name)                  \
  table[#name "number_"] = [](const Call& c) { \
    Tensor x = c.x[0];                         \
    x.name(c.number());                        \
    return std::vector{c.x.back()};            \
  };
  IN_PLACE(add_)
  IN_PLACE(sub_)
  IN_PLACE(mul_) IN_PLACE(div_) IN_PLACE(copy_) IN_PLACE_NUMBER(add_) IN_PLACE_NUMBER(mul_) IN_PLACE_NUMBER(fill_)
#undef IN_PLACE
#undef IN_PLACE_NUMBER
}

inline void add_creation(Operations& table) {
  using namespace xgrad;
  table["arange"] = [](const Call& c) {
    return std::vector{
        arange(c.real("begin"), c.real("end"), c.real("step"), {.dtype = dtype_named(c.args.at("dtype"))})};
  };
  table["linspace"] = [](const Call& c) {
    return std::vector{linspace(c.real("begin"), c.real("end"), c.integer("count"), {.dtype = float64})};
  };
}

inline const Operations& operations() {
  static const Operations all = [] {
    Operations table;
    add_elementwise(table), add_reductions(table), add_shapes(table), add_networks(table), add_in_place(table),
        add_creation(table);
    return table;
  }();
  return all;
}

}  // namespace reference
