#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/node.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "../catch.hpp"
#include "../reference/operation_samples.hpp"
#include "../reference/operation_table.hpp"

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

}  // namespace

TEST_CASE("registry: every operation has samples, an empty input among them, and error inputs") {
  std::set<std::string> names;
  for (const OpInfo& op : registry()) {
    INFO(op.name);
    CHECK(names.insert(op.name).second);
    const auto samples = op.samples();
    CHECK_FALSE(samples.empty());
    CHECK(std::any_of(samples.begin(), samples.end(), [](const OpSample& sample) {
      return std::any_of(sample.inputs.begin(), sample.inputs.end(),
                         [](const Tensor& input) { return input.numel() == 0; });
    }));
    CHECK_FALSE(op.errors().empty());
    CHECK(std::string(op.formula).size() > 0);
  }
}

TEST_CASE("registry: every operation that a header of ops declares is registered") {
  std::set<std::string> registered;
  for (const OpInfo& op : registry()) registered.insert(op.name);
  const std::regex declaration(R"(^(?:Tensor|std::\w+<.*Tensor.*>|[A-Z]\w+) (\w+)\(.*)");
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(XGRAD_TESTS_DIR "/../ops")) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream file(entry.path());
    bool internal = false;
    for (std::string line; std::getline(file, line);) {
      if (std::regex_search(line, std::regex("^namespace .*detail \\{"))) internal = true;
      if (line.starts_with("}  // namespace detail")) internal = false;
      std::smatch match;
      if (internal || !std::regex_match(line, match, declaration)) continue;
      ++found;
      INFO(entry.path().filename() << " declares " << match[1]);
      CHECK(registered.contains(match[1]));
    }
  }
  CHECK(found > 60);
}

TEST_CASE("registry: samples give every tensor that an operation takes") {
  std::map<std::string, std::size_t> most;
  for (const OpInfo& op : registry())
    for (const OpSample& sample : op.samples()) most[op.name] = std::max(most[op.name], sample.inputs.size());
  const std::regex declaration(R"((?:^|\n)Tensor (\w+)\(([^;{]*)\);)"),
      tensor(R"(\b(?:Operand|const Tensor&) (?!condition|mask)\w+)"),
      options(R"(const (\w+Options)&)");
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(XGRAD_TESTS_DIR "/../ops")) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (std::sregex_iterator at(text.begin(), text.end(), declaration), end; at != end; ++at) {
      const std::string name = (*at)[1], parameters = (*at)[2];
      if (!most.contains(name)) continue;
      auto wanted = static_cast<std::size_t>(
          std::distance(std::sregex_iterator(parameters.begin(), parameters.end(), tensor), std::sregex_iterator()));
      if (std::smatch match; std::regex_search(parameters, match, options))
        wanted += std::regex_search(text, std::regex("struct " + match[1].str() + R"( \{[^}]*\n  Tensor )"));
      INFO(name << "(" << parameters << ")");
      CHECK(most[name] >= wanted);
      ++found;
    }
  }
  CHECK(found > 60);
}

TEST_CASE(
    "registry: a floating input that requires a gradient gets the right one, or an error says that there is none") {
  for (const OpInfo& op : registry()) {
    std::size_t number = 0;
    for (const OpSample& sample : op.samples()) {
      INFO(reference::key(op, number++) << " " << sample.reference);
      if (!op.differentiable) continue;
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
        if (sample.inputs[i].requires_grad()) continue;  // checked below
        const auto result = gradcheck(sample.call, inputs);
        INFO(result.message);
        CHECK(result);
      }
    }
  }
}

TEST_CASE("registry: gradients agree with central differences") {
  for (const OpInfo& op : registry()) {
    std::size_t number = 0;
    for (const OpSample& sample : op.samples()) {
      INFO(reference::key(op, number++) << " " << sample.reference);
      if (!op.differentiable || !wants_gradient(sample)) continue;
      const auto result = gradcheck(sample.call, sample.inputs);
      INFO(result.message);
      CHECK(result);
    }
  }
}

TEST_CASE("registry: second derivatives agree with central differences") {
  for (const OpInfo& op : registry()) {
    std::size_t number = 0;
    for (const OpSample& sample : op.samples()) {
      INFO(reference::key(op, number++) << " " << sample.reference);
      if (!op.differentiable || !wants_gradient(sample)) continue;
      const auto result = gradgradcheck(sample.call, sample.inputs);
      INFO(result.message);
      CHECK(result);
    }
  }
}

TEST_CASE("registry: fused gradients equal those composed of recorded operations") {
  for (const OpInfo& op : registry()) {
    std::size_t number = 0;
    for (const OpSample& sample : op.samples()) {
      INFO(reference::key(op, number++) << " " << sample.reference);
      if (!op.differentiable || !wants_gradient(sample)) continue;
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
  }
}

TEST_CASE("registry: values and gradients agree with PyTorch") {
  for (const OpInfo& op : registry()) {
    std::size_t number = 0;
    for (const OpSample& sample : op.samples()) check_against_pytorch(reference::key(op, number++), sample);
  }
}

TEST_CASE("reference: layers, and losses of scores that are not finite, agree with PyTorch") {
  std::size_t number = 0;
  for (const OpSample& sample : reference::more_samples()) check_against_pytorch(reference::more_key(number++), sample);
}

TEST_CASE("registry: float32 values agree with float64 ones") {
  const NoGrad no_grad;
  for (const OpInfo& op : registry()) {
    std::size_t number = 0;
    for (const OpSample& sample : op.samples()) {
      INFO(reference::key(op, number++) << " " << sample.reference);
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
  }
}

TEST_CASE("registry: error inputs are reported as Error") {
  for (const OpInfo& op : registry())
    for (const OpError& error : op.errors()) {
      INFO(op.name << ": " << error.message);
      CHECK_FALSE(error.message.empty());
      CHECK_THROWS_WITH(error.call(), Catch::Contains(error.message));
    }
}

TEST_CASE("registry: docs/operations.md is what the registry says") {
  std::ifstream file(XGRAD_TESTS_DIR "/../docs/operations.md");
  REQUIRE(file);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  INFO("write it anew: build/release/tests/xgrad_registry table > docs/operations.md");
  CHECK(text == reference::operation_table());
}
