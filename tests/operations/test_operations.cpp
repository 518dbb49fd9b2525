#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/node.hpp>

#include <algorithm>
#include <deque>
#include <fstream>

#include "../catch.hpp"
#include "../reference/operation_samples.hpp"

using namespace xgrad;

namespace {

const nlohmann::json& reference_data() {
  static const nlohmann::json data = [] {
    std::ifstream file(XGRAD_TESTS_DIR "/reference/operations.json");
    REQUIRE(file);
    return nlohmann::json::parse(file);
  }();
  return data;
}

Tensor upstream_for(const Tensor& output) {
  Tensor seed = empty(output.shape(), {.dtype = output.dtype()});
  dispatch_floating("upstream", seed.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < seed.numel(); ++i) seed.data<T>()[i] = static_cast<T>(reference::upstream(i));
  });
  return seed;
}

void check_equal(const Tensor& actual, const nlohmann::json& expected, const char* what) {
  INFO(what << " of shape " << actual.shape() << ", expected " << expected.dump());
  REQUIRE(reference::to_json(actual)["shape"] == expected["shape"]);
  const auto values = reference::elements(actual);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double wanted = reference::to_double(expected["values"][i]);
    INFO("element " << i << ": " << values[i] << ", expected " << wanted);
    if (std::isnan(wanted))
      CHECK(std::isnan(values[i]));
    else if (std::isinf(wanted))
      CHECK(values[i] == wanted);
    else
      CHECK(std::abs(values[i] - wanted) <= 1e-12 + 1e-10 * std::abs(wanted));
  }
}

bool wants_gradient(const OpSample& sample) {
  for (const Tensor& input : sample.inputs)
    if (input.requires_grad()) return true;
  return false;
}

void check_against_pytorch(const std::string& key, const OpSample& sample) {
  const nlohmann::json& data = reference_data();
  INFO(key << " " << sample.reference << "; if samples changed, run tests/reference/make_operations.py again");
  REQUIRE(data.contains(key));
  const nlohmann::json& expected = data[key];
  CHECK(expected["reference"] == sample.reference);
  for (std::size_t i = 0; i < sample.inputs.size(); ++i)
    CHECK(expected["inputs"][i] == reference::to_json(sample.inputs[i]));
  const auto outputs = sample.call(sample.inputs);
  REQUIRE(outputs.size() == expected["outputs"].size());
  std::vector<Tensor> differentiable, seeds, wanted;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CHECK(expected["outputs"][i]["dtype"] == name(outputs[i].dtype()));
    check_equal(outputs[i], expected["outputs"][i], "value");
    if (outputs[i].requires_grad()) differentiable.push_back(outputs[i]), seeds.push_back(upstream_for(outputs[i]));
  }
  for (const Tensor& input : sample.inputs)
    if (input.requires_grad()) wanted.push_back(input);
  if (differentiable.empty()) return;
  const auto gradients = grad(differentiable, wanted, {.allow_unused = true, .grad_outputs = seeds});
  for (std::size_t i = 0; i < wanted.size(); ++i)
    check_equal(gradients[i].defined() ? gradients[i] : zeros_like(wanted[i]), expected["gradients"][i], "gradient");
}

void check_has_samples(const OpInfo& op) {
  const auto samples = op.samples();
  CHECK(std::any_of(samples.begin(), samples.end(), [](const OpSample& sample) {
    return std::any_of(sample.inputs.begin(), sample.inputs.end(),
                       [](const Tensor& input) { return input.numel() == 0; });
  }));
  CHECK_FALSE(op.errors().empty());
}

/// A floating input that requires a gradient gets the right one, or an error says that there is none.
void check_other_inputs(const OpSample& sample) {
  for (std::size_t i = 0; i < sample.inputs.size(); ++i) {
    if (!is_floating(sample.inputs[i].dtype())) continue;
    INFO("input " << i);
    std::vector<Tensor> inputs;
    for (const Tensor& input : sample.inputs) inputs.push_back(input.detach());
    inputs[i].requires_grad_();
    std::vector<Tensor> outputs;
    try {
      outputs = sample.call(inputs);
    } catch (const Error& error) {
      CHECK_THAT(error.what(), Catch::Contains("requires a gradient"));
      continue;
    }
    CHECK(std::any_of(outputs.begin(), outputs.end(), [](const Tensor& y) { return y.requires_grad(); }));
    if (sample.inputs[i].requires_grad()) continue;  // checked with the others
    const auto result = gradcheck(sample.call, inputs);
    INFO(result.message);
    CHECK(result);
  }
}

void check_against_differences(const OpSample& sample) {
  const auto first = gradcheck(sample.call, sample.inputs);
  INFO(first.message);
  CHECK(first);
  const auto second = gradgradcheck(sample.call, sample.inputs);
  INFO(second.message);
  CHECK(second);
}

void check_fused_against_composed(const OpSample& sample) {
  std::vector<Tensor> outputs, seeds, wanted;
  for (const Tensor& output : sample.call(sample.inputs))
    if (output.requires_grad()) outputs.push_back(output), seeds.push_back(upstream_for(output));
  for (const Tensor& input : sample.inputs)
    if (input.requires_grad()) wanted.push_back(input);
  const auto composed = grad(outputs, wanted, {.create_graph = true, .allow_unused = true, .grad_outputs = seeds});
  const auto fused = grad(outputs, wanted, {.allow_unused = true, .grad_outputs = seeds});
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    REQUIRE(fused[i].defined() == composed[i].defined());
    if (fused[i].defined()) check_equal(fused[i], reference::to_json(composed[i]), "gradient");
  }
}

void check_float32_against_float64(const OpSample& sample) {
  const NoGrad no_grad;
  std::vector<Tensor> single;
  for (const Tensor& input : sample.inputs) single.push_back(input.dtype() == float64 ? input.to(float32) : input);
  const auto expected = sample.call(sample.inputs), actual = sample.call(single);
  for (std::size_t k = 0; k < actual.size(); ++k) {
    if (!is_floating(expected[k].dtype())) continue;
    const auto a = reference::elements(actual[k]), e = reference::elements(expected[k]);
    REQUIRE(a.size() == e.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      INFO("element " << i << ": " << a[i] << ", in float64 " << e[i]);
      CHECK((std::isnan(e[i]) ? std::isnan(a[i])
                              : a[i] == e[i] || std::abs(a[i] - e[i]) <= 2e-5 + 2e-5 * std::abs(e[i])));
    }
  }
}

/// The inputs with floating ones rounded to 16 bits, in `dtype`.
std::vector<Tensor> rounded_inputs(const OpSample& sample, DType half, DType dtype) {
  std::vector<Tensor> inputs;
  for (const Tensor& input : sample.inputs) {
    inputs.push_back(is_floating(input.dtype()) ? input.detach().to(half).to(dtype) : input);
    inputs.back().requires_grad_(input.requires_grad());
  }
  return inputs;
}

/// Equal to what 16 bits hold of the values: an operation may round several times on its way.
void check_close(const Tensor& half, const Tensor& single, double epsilon, const char* what) {
  const auto a = reference::elements(half), e = reference::elements(single);
  REQUIRE(half.shape() == single.shape());
  double largest = 1;
  for (const double value : e)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO(what << " " << i << ": " << a[i] << ", in float32 " << e[i]);
    CHECK((std::isnan(e[i]) ? std::isnan(a[i]) : a[i] == e[i] || std::abs(a[i] - e[i]) <= 8 * epsilon * largest));
  }
}

/// Values and gradients of bfloat16 and float16 inputs have that dtype, and are those of float32 but for rounding.
void check_16_bits(const OpSample& sample, bool differentiable) {
  for (const auto& [half, epsilon] : {std::pair{bfloat16, 0x1p-7}, {float16, 0x1p-10}}) {
    INFO("in " << half);
    const std::vector<Tensor> halves = rounded_inputs(sample, half, half),
                              singles = rounded_inputs(sample, half, float32);
    const auto actual = sample.call(halves), expected = sample.call(singles);
    std::vector<Tensor> outputs, single_outputs, wanted, single_wanted;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      CHECK(actual[i].dtype() == (expected[i].dtype() == float32 ? half : expected[i].dtype()));
      check_close(actual[i], expected[i], epsilon, "value");
      if (actual[i].requires_grad()) outputs.push_back(actual[i]), single_outputs.push_back(expected[i]);
    }
    if (!differentiable || outputs.empty()) continue;
    for (std::size_t i = 0; i < halves.size(); ++i)
      if (halves[i].requires_grad()) wanted.push_back(halves[i]), single_wanted.push_back(singles[i]);
    std::vector<Tensor> seeds, single_seeds;
    for (const Tensor& output : outputs) {
      seeds.push_back(upstream_for(output.to(float32)).to(half));
      single_seeds.push_back(seeds.back().to(float32));
    }
    const auto gradients = grad(outputs, wanted, {.allow_unused = true, .grad_outputs = seeds}),
               single_gradients =
                   grad(single_outputs, single_wanted, {.allow_unused = true, .grad_outputs = single_seeds});
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      REQUIRE(gradients[i].defined() == single_gradients[i].defined());
      if (!gradients[i].defined()) continue;
      CHECK(gradients[i].dtype() == half);
      check_close(gradients[i], single_gradients[i], epsilon, "gradient");
    }
  }
}

/// What is computed of int64 is computed of int32, to its last 32 bits.
void check_int32(const OpSample& sample) {
  const NoGrad no_grad;
  std::vector<Tensor> inputs;
  bool any = false;
  for (const Tensor& input : sample.inputs) {
    const bool is = input.dtype() == int64 && all(input.to(int32) == input).item<bool>();
    inputs.push_back(is ? input.to(int32) : input);
    any = any || is;
  }
  if (!any) return;
  INFO("in int32");
  const auto actual = sample.call(inputs), expected = sample.call(sample.inputs);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const Tensor wanted = expected[i].dtype() == int64 ? expected[i].to(int32) : expected[i];
    CHECK(reference::to_json(actual[i].to(wanted.dtype())) == reference::to_json(wanted));
  }
}

void check_operation(const OpInfo& op) {
  check_has_samples(op);
  std::size_t number = 0;
  for (const OpSample& sample : op.samples()) {
    const std::string key = reference::key(op, number++);
    INFO(key << " " << sample.reference);
    check_against_pytorch(key, sample);
    check_float32_against_float64(sample);
    try {
      check_16_bits(sample, op.differentiable);
    } catch (const Error& error) {  // factorisations are LAPACK's, which has no such types; nor has PyTorch here
      if (op.family != std::string_view("linear algebra")) throw;
      CHECK_THAT(error.what(), Catch::Contains("expected a tensor of float32 or float64"));
    }
    check_int32(sample);
    if (!op.differentiable) continue;
    check_other_inputs(sample);
    if (!wants_gradient(sample)) continue;
    check_against_differences(sample);
    check_fused_against_composed(sample);
  }
  for (const OpError& error : op.errors()) {
    INFO(error.message);
    CHECK_FALSE(error.message.empty());
    CHECK_THROWS_WITH(error.call(), Catch::Contains(error.message));
  }
}

/// One test case an operation: `xgrad_tests "operation: softmax"`, and `xgrad_tests "[family:softmax]"` for its file.
struct OperationTest final : Catch::ITestInvoker {
  explicit OperationTest(const OpInfo& which) : op(which) {}
  void invoke() const override { check_operation(op); }
  const OpInfo& op;
};

const bool registered = [] {
  static std::deque<std::string> texts;
  for (const OpFamily& family : families())
    for (const OpInfo& op : family.ops) {
      const std::string& name = texts.emplace_back(std::string("operation: ") + op.name);
      const std::string& tags = texts.emplace_back(std::string("[family:") + family.file + "]");
#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
      Catch::AutoReg(Catch::Detail::make_unique<OperationTest>(op), CATCH_INTERNAL_LINEINFO, Catch::StringRef(),
                     Catch::NameAndTags{name, tags});
#else
      Catch::AutoReg(new OperationTest(op), CATCH_INTERNAL_LINEINFO, Catch::StringRef(),
                     Catch::NameAndTags{name, tags});
#endif
    }
  return true;
}();

}  // namespace

TEST_CASE("reference: layers, and losses of scores that are not finite, agree with PyTorch", "[family:more]") {
  std::size_t number = 0;
  for (const OpSample& sample : reference::more_samples()) check_against_pytorch(reference::more_key(number++), sample);
}

TEST_CASE("reference: inputs without elements and without axes agree with PyTorch", "[family:empty]") {
  std::size_t number = 0;
  for (const OpSample& sample : reference::empty_samples())
    CHECK_NOTHROW(check_against_pytorch(reference::empty_key(number++), sample));
}
