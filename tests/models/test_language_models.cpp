#include <xgrad/nn/generate.hpp>

#include <cmath>

#include "../../examples/models/hugging_face.hpp"
#include "../catch.hpp"

using namespace xgrad;

namespace {

const std::string directory = XGRAD_TESTS_DIR "/reference/language_models/";

nlohmann::json reference(const char* model) {
  return nlohmann::json::parse(io::read_file(directory + "reference.json"))[model];
}

Tensor rows(const nlohmann::json& numbers) { return tensor(numbers.get<std::vector<std::vector<std::int64_t>>>()); }

/// Logits, the loss of the next tokens, its gradients, and greedy generation.
template <class Net>
void check_model(Net& net, const nlohmann::json& expected, std::size_t depth) {
  nn::eval(net);
  const Tensor tokens = rows(expected["tokens"]);
  const Tensor logits = net(tokens);
  CHECK(allclose(flatten(logits), tensor(expected["logits"].get<std::vector<float>>()), {.rtol = 1e-4, .atol = 1e-4}));

  const std::int64_t length = tokens.size(1);
  const Tensor loss =
      cross_entropy(flatten(narrow(logits, 1, 0, length - 1), 0, 1), flatten(narrow(tokens, 1, 1, length - 1)));
  CHECK(loss.item() == Approx(expected["loss"].get<double>()).epsilon(1e-5));
  loss.backward();
  const NamedTensors parameters = nn::named_parameters(net);
  CHECK(parameters.size() == expected["gradients"].size());
  for (const auto& [name, parameter] : parameters) {
    INFO(name);
    const nlohmann::json& digest = expected["gradients"].at(name);
    const Tensor gradient = flatten(parameter.grad()).to(float64);
    const Tensor direction = cos(arange(gradient.numel(), {.dtype = float64}));
    const double size = digest[0];
    CHECK(norm(gradient).item() == Approx(size).epsilon(1e-3));
    CHECK(sum(gradient * direction).item() == Approx(digest[1].get<double>()).margin(1e-3 * size));
  }

  const Tensor prompt = narrow(tokens, 1, 0, 6);
  const Tensor generated = rows(expected["generated"]);
  const auto same = [&](const Tensor& found) {
    return found.to_vector<std::int64_t>() == generated.to_vector<std::int64_t>();
  };
  std::vector<nn::KVCache> caches(depth);
  const nn::GenerateOptions greedy{.length = 64, .temperature = 0};
  const auto with_cache = [&](const Tensor& x) { return net(x, &caches); };
  CHECK(same(nn::generate(with_cache, prompt, greedy)));
  nn::GenerateOptions uncached = greedy;
  uncached.cached = false;
  const auto without_cache = [&](const Tensor& x) { return net(x); };
  CHECK(same(nn::generate(without_cache, prompt, uncached)));
}

}  // namespace

TEST_CASE("models: a GPT-2 written by transformers gives its logits, gradients and text") {
  models::GPT2 gpt2 = models::load_gpt2(directory + "gpt2");
  check_model(gpt2, reference("gpt2"), 2);
}

TEST_CASE("models: a Llama written by transformers gives its logits, gradients and text") {
  models::Llama llama = models::load_llama(directory + "llama");
  check_model(llama, reference("llama"), 2);
}
