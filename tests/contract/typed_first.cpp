// What people type first: each line compiles and does what it says.
#include <xgrad/xgrad.hpp>

#include <array>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <vector>

using namespace xgrad;

void expect(bool ok, const char* what) {
  if (ok) return;
  std::cerr << "typed_first: " << what << '\n';
  std::exit(1);
}
#define EXPECT(condition) expect((condition), #condition)

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && all(a == b).item<bool>();
}

void making_tensors() {
  const std::vector<float> v = {1, 2, 3};
  EXPECT(same(from_values(v, {3}), tensor({1.0, 2.0, 3.0})));
  EXPECT(same(tensor(v), tensor({1.0, 2.0, 3.0})));
  EXPECT(same(tensor(std::vector<double>{1, 2}), tensor({1, 2}, {.dtype = float64})));
  EXPECT(same(tensor(std::vector<int>{1, 2}), tensor({1, 2})));
  EXPECT(same(tensor(std::vector<std::int64_t>{1, 2}), tensor({1, 2})));
  EXPECT(same(tensor(std::vector<bool>{true, false}), tensor({true, false})));
  EXPECT(same(tensor(std::vector<std::vector<float>>{{1, 2}, {3, 4}}), tensor({{1.0, 2.0}, {3.0, 4.0}})));
  EXPECT(same(from_values(std::vector<int>{1, 2, 3, 4}, {2, 2}, {.dtype = float32}), tensor({{1.0, 2.0}, {3.0, 4.0}})));

  EXPECT(tensor({0, 1}).dtype() == int64 && tensor(3).dtype() == int64);
  EXPECT(tensor({0, 1.5}).dtype() == float32 && tensor({true, false}).dtype() == bool_);
  EXPECT(cross_entropy(zeros({2, 3}), tensor({0, 1})).dim() == 0);

  const std::vector<std::int64_t> shape = {2, 3};
  EXPECT((zeros(shape).shape() == Shape{2, 3}));
  EXPECT((zeros(std::vector<int>{2, 3}).shape() == Shape{2, 3}));
  EXPECT((zeros(std::array<std::size_t, 2>{2, 3}).shape() == Shape{2, 3}));
  EXPECT((zeros(3).shape() == Shape{3}));
  EXPECT(full(v.size(), 1.5).numel() == 3);
  EXPECT((arange(0, 5, {.dtype = int64}).numel() == 5));
}

void random_numbers() {
  const Tensor x = zeros({2, 3}, {.dtype = float64});
  EXPECT(randn_like(x).shape() == x.shape() && randn_like(x).dtype() == float64);
  EXPECT(rand_like(x, {.dtype = float32}).dtype() == float32);
  EXPECT(randint_like(x, 0, 5).dtype() == float64);
  EXPECT(zeros_like(x, {.requires_grad = true}).requires_grad() && empty_like(x).numel() == 6);
  EXPECT(ones_like(x, {.dtype = int64}).dtype() == int64 && full_like(x, 3).at({0, 0}) == 3);
  Generator a(7), b(7);
  EXPECT(same(randn({3}, {.generator = &a}), randn({3}, {.generator = &b})));
  EXPECT(same(randint(0, 10, {3}, {.dtype = float32, .generator = &a}),
              randint(0, 10, {3}, {.dtype = float32, .generator = &b})));
  EXPECT(same(randperm(9, {.generator = &a}), randperm(9, {.generator = &b})));
}

void reading_tensors() {
  const Tensor x = tensor({{1.0, 2.0}, {3.0, 4.0}});
  std::ostringstream out;
  out << x.dtype() << ' ' << x.shape();
  EXPECT(out.str() == "float32 (2, 2)");
  EXPECT(transpose(x, 0, 1).to_vector<float>() == (std::vector<float>{1, 3, 2, 4}));
  EXPECT(x.span<float>()[3] == 4 && x.span<const float>().size() == 4);
  EXPECT(x.at({0, 1}) == 2 && x.at<int>({-1, 0}) == 3);
  EXPECT(same(x[0], tensor({1.0, 2.0})) && x[1][-1].item() == 4);
}

void changing_tensors() {
  Tensor x = tensor({1.0, 2.0, 4.0});
  const Tensor g = tensor({1.0, 1.0, 1.0}), y = tensor({1.0, 2.0, 4.0});
  x += 1;
  x *= 2;
  x -= 0.5 * g;
  x /= y;
  EXPECT(same(x, tensor({3.5, 2.75, 2.375})));
  x += y;
  x[0] += 1;
  EXPECT(same(x, tensor({5.5, 4.75, 6.375})));
  x.sub_(g, {.alpha = 0.5});
  EXPECT(same(x, tensor({5.0, 4.25, 5.875})));
  EXPECT(same(maximum(x, 5.0), tensor({5.0, 5.0, 5.875})) && same(minimum(5.0, x), tensor({5.0, 4.25, 5.0})));
  EXPECT(same(maximum(tensor({1, 3}), 2), tensor({2, 3})));
}

void differentiating() {
  Tensor x = tensor({1.0, 2.0}, {.requires_grad = true});
  const Tensor loss = sum(square(x));
  const Tensor g = grad(loss, x, {.retain_graph = true});
  EXPECT(same(g, tensor({2.0, 4.0})));
  EXPECT(same(grad(loss, {x}, {.retain_graph = true})[0], g));
  loss.backward({.retain_graph = true});
  loss.backward();
  EXPECT(same(x.grad(), tensor({4.0, 8.0})));
  x.zero_grad();
  (x[1] * 3.0).backward();
  EXPECT(same(x.grad(), tensor({0.0, 3.0})));
}

void finding_by_name() {
  nn::Linear layer(2, 3);
  EXPECT((nn::state_dict(layer)["weight"].shape() == Shape{3, 2}));
  save_safetensors("typed_first.safetensors", {{"x", tensor({1.0, 2.0})}, {"y", tensor({1, 2})}});
  EXPECT(same(load_safetensors("typed_first.safetensors")["x"], tensor({1.0, 2.0})));
  const NamedTensors all = load_safetensors("typed_first.safetensors");
  EXPECT(all[0].first == "x" && same(all["y"], tensor({1, 2})));
  for (const auto& [name, value] : all) EXPECT(value.numel() == 2 && name.size() == 1);
}

void training() {
  nn::Linear net(2, 1);
  optim::Adam a(net, {.lr = 1e-3});
  optim::Adam adam = std::move(a);
  optim::CosineAnnealingLR schedule(adam, {.t_max = 10});
  const data::TensorDataset set(ones({4, 2}), zeros({4, 1}));
  auto [fit, test] = data::random_split(set, {3, 1});
  auto [most, rest] = data::random_split(set, {0.75, 0.25});
  EXPECT(fit.size() == 3 && test.size() == 1 && most.size() == 3 && rest.size() == 1);
  int batches = 0;
  for (const auto& [x, y] : data::DataLoader(fit, 2)) {
    adam.zero_grad();
    mse_loss(net(x), y).backward();
    adam.step();
    ++batches;
  }
  schedule.step();
  EXPECT(batches == 2 && adam.lr() < 1e-3);
  const std::vector<Tensor> rows = unbind(tensor({{1.0, 2.0}, {3.0, 4.0}}));
  EXPECT(rows.size() == 2 && same(rows[1], tensor({3.0, 4.0})));
}

int main() {
  making_tensors();
  random_numbers();
  reading_tensors();
  changing_tensors();
  differentiating();
  finding_by_name();
  training();
}
