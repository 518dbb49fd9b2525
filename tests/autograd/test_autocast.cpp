#include <xgrad/autograd/autocast.hpp>
#include <xgrad/xgrad.hpp>

#include <functional>
#include <map>
#include <string>
#include <thread>

#include "../catch.hpp"

using namespace xgrad;

namespace {

Tensor numbers(const Shape& shape, DType dtype = float32) { return randn(shape).to(dtype); }

using Operations = std::map<std::string, std::function<Tensor(DType)>>;

const Operations products = {
    {"matmul",
     [](DType d) {
       return matmul(numbers({2, 3}, d), numbers({3, 2}));
     }},
    {"linear",
     [](DType d) {
       return linear(numbers({2, 3}, d), numbers({4, 3}), numbers({4}));
     }},
    {"einsum",
     [](DType d) {
       return einsum("ij,jk->ik", {numbers({2, 3}, d), numbers({3, 2})});
     }},
    {"conv2d",
     [](DType d) {
       return conv2d(numbers({1, 2, 4, 4}, d), numbers({3, 2, 3, 3}), numbers({3}));
     }},
    {"conv_transpose1d",
     [](DType d) {
       return conv_transpose1d(numbers({1, 2, 4}, d), numbers({2, 3, 3}));
     }},
    {"attention",
     [](DType d) {
       return scaled_dot_product_attention(numbers({2, 3, 4}, d), numbers({2, 3, 4}), numbers({2, 3, 4}),
                                           {.mask = numbers({3, 3})});
     }},
    {"lstm",
     [](DType d) {
       return nn::LSTM(3, 4)(numbers({2, 1, 3}, d)).output;
     }},
    {"gru_cell",
     [](DType d) {
       return gru_cell(numbers({2, 3}, d), {}, numbers({12, 3}), numbers({12, 4}), {}, {});
     }},
};

const Operations in_full = {
    {"softmax",
     [](DType d) {
       return softmax(numbers({2, 3}, d), 1);
     }},
    {"log_softmax",
     [](DType d) {
       return log_softmax(numbers({2, 3}, d), 1);
     }},
    {"logsumexp",
     [](DType d) {
       return logsumexp(numbers({2, 3}, d), 1);
     }},
    {"layer_norm",
     [](DType d) {
       return layer_norm(numbers({2, 3}, d), {3}, numbers({3}), numbers({3}));
     }},
    {"rms_norm",
     [](DType d) {
       return rms_norm(numbers({2, 3}, d), {3}, numbers({3}));
     }},
    {"group_norm",
     [](DType d) {
       return group_norm(numbers({2, 4}, d), 2, numbers({4}), numbers({4}));
     }},
    {"instance_norm",
     [](DType d) {
       return instance_norm(numbers({2, 3, 4}, d), {}, {}, numbers({3}), numbers({3}));
     }},
    {"batch_norm",
     [](DType d) {
       return nn::BatchNorm1d(3)(numbers({4, 3}, d));
     }},
    {"norm", [](DType d) { return norm(numbers({4}, d)); }},
    {"norm of order 1", [](DType d) { return norm(numbers({4}, d), 1); }},
    {"prod", [](DType d) { return prod(numbers({4}, d)); }},
    {"cdist",
     [](DType d) {
       return cdist(numbers({2, 3}, d), numbers({2, 3}, d));
     }},
    {"cross_entropy",
     [](DType d) {
       return cross_entropy(numbers({2, 3}, d), tensor({0, 2}), {.weight = ones({3})});
     }},
    {"cross_entropy of probabilities",
     [](DType d) {
       return cross_entropy(numbers({2, 3}, d), softmax(numbers({2, 3}), 1));
     }},
    {"nll_loss",
     [](DType d) {
       return nll_loss(numbers({2, 3}, d), tensor({0, 2}));
     }},
    {"mse_loss", [](DType d) { return mse_loss(numbers({3}, d), numbers({3}, d)); }},
    {"l1_loss", [](DType d) { return l1_loss(numbers({3}, d), numbers({3}, d)); }},
    {"huber_loss", [](DType d) { return huber_loss(numbers({3}, d), numbers({3}, d)); }},
    {"smooth_l1_loss", [](DType d) { return smooth_l1_loss(numbers({3}, d), numbers({3}, d)); }},
    {"kl_div", [](DType d) { return kl_div(numbers({3}, d), abs(numbers({3}, d))); }},
    {"binary_cross_entropy", [](DType d) { return binary_cross_entropy(full({3}, 0.5).to(d), ones({3}).to(d)); }},
    {"binary_cross_entropy_with_logits",
     [](DType d) { return binary_cross_entropy_with_logits(numbers({3}, d), ones({3})); }},
    {"hinge_embedding_loss", [](DType d) { return hinge_embedding_loss(numbers({3}, d), ones({3}).to(d)); }},
    {"soft_margin_loss", [](DType d) { return soft_margin_loss(numbers({3}, d), ones({3}).to(d)); }},
    {"multi_margin_loss",
     [](DType d) {
       return multi_margin_loss(numbers({2, 3}, d), tensor({0, 2}));
     }},
    {"triplet_margin_loss",
     [](DType d) {
       return triplet_margin_loss(numbers({2, 3}, d), numbers({2, 3}, d), numbers({2, 3}, d));
     }},
    {"ctc_loss",
     [](DType d) {
       return ctc_loss(log_softmax(numbers({4, 3}), 1).to(d), tensor({1}), tensor(4), tensor(1));
     }},
};

bool equal(const Tensor& a, const Tensor& b) { return a.dtype() == b.dtype() && all(a == b).item<bool>(); }

/// The largest difference, in units of the largest element of `exact`.
double difference(const Tensor& actual, const Tensor& exact) {
  return amax(abs(actual.to(float64) - exact)).item() / amax(abs(exact)).item();
}

}  // namespace

TEST_CASE("autocast: products run in 16 bits, what needs the digits in float32, the rest in what it is given") {
  for (const DType dtype : {bfloat16, float16}) {
    const Autocast autocast(dtype);
    CHECK(autocast_dtype() == dtype);
    for (const auto& [name, f] : products) {
      INFO(name);
      CHECK(f(float32).dtype() == dtype);
      CHECK(f(dtype).dtype() == dtype);
    }
    for (const auto& [name, f] : in_full) {
      INFO(name);
      CHECK(f(dtype).dtype() == float32);
      CHECK(f(float32).dtype() == float32);
    }
    CHECK(relu(numbers({2}, dtype)).dtype() == dtype);
    CHECK((numbers({2}, dtype) + numbers({2})).dtype() == float32);
    CHECK(matmul(numbers({2, 2}, float64), numbers({2, 2}, float64)).dtype() == float64);
    CHECK(softmax(numbers({2}, float64), 0).dtype() == float64);
    CHECK(matmul(ones({2, 2}, {.dtype = int64}), ones({2, 2}, {.dtype = int64})).dtype() == int64);
    CHECK(linalg::pinv(numbers({3, 2})).dtype() == float32);
    CHECK(linalg::matrix_power(numbers({2, 2}), 3).dtype() == float32);
  }
  CHECK(!autocast_dtype());
  CHECK(products.at("matmul")(float32).dtype() == float32);
}

TEST_CASE("autocast: scopes nest, can be switched off, and belong to their thread") {
  const Tensor x = numbers({2, 2});
  const Autocast outer(bfloat16);
  {
    const Autocast off(bfloat16, {.enabled = false});
    CHECK(!autocast_dtype());
    CHECK(matmul(x, x).dtype() == float32);
    const Autocast inner(float16);
    CHECK(matmul(x, x).dtype() == float16);
  }
  CHECK(matmul(x, x).dtype() == bfloat16);
  DType elsewhere = bfloat16;
  std::thread([&] { elsewhere = matmul(x, x).dtype(); }).join();
  CHECK(elsewhere == float32);
  CHECK_THROWS_WITH(Autocast(float32), Catch::StartsWith("Autocast: dtype is float32; it must be bfloat16 or float16"));
  CHECK(autocast_dtype() == bfloat16);
}

TEST_CASE("autocast: gradients of parameters are float32, and those of the casts written out") {
  manual_seed(1);
  nn::Sequential net{nn::Linear(5, 7), nn::Tanh(), nn::Linear(7, 3)};
  const Tensor x = numbers({4, 5}), y = tensor({0, 1, 2, 0});
  Tensor loss;
  {
    const Autocast autocast;
    loss = cross_entropy(net(x), y);
  }
  CHECK(loss.dtype() == float32);
  loss.backward();
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : nn::parameters(net)) {
    CHECK(parameter.grad().dtype() == float32);
    gradients.push_back(parameter.grad());
  }
  nn::zero_grad(net);
  const auto p = nn::parameters(net);
  const Tensor h = tanh(linear(x.to(bfloat16), p[0].to(bfloat16), p[1].to(bfloat16)));
  cross_entropy(linear(h, p[2].to(bfloat16), p[3].to(bfloat16)).to(float32), y).backward();
  for (std::size_t i = 0; i < p.size(); ++i) CHECK(equal(p[i].grad(), gradients[i]));
}

TEST_CASE("autocast: a parameter is cast once a scope, and again where it was changed or is to be recorded") {
  const Tensor w = numbers({3, 3}).requires_grad_(), frozen = numbers({3, 3});
  const auto cast = [](const Tensor& x) { return Tensor(detail::in_autocast_dtype(x)); };
  const auto same = [](const Tensor& a, const Tensor& b) { return &a.impl() == &b.impl(); };
  const Autocast autocast(bfloat16);
  {
    const NoGrad no_grad;
    CHECK(!cast(w).requires_grad());
  }
  const Tensor first = cast(w);
  CHECK(first.requires_grad());
  CHECK(same(cast(w), first));
  CHECK_FALSE(same(cast(frozen), cast(frozen)));
  {
    const Autocast inner(bfloat16);
    CHECK(same(cast(w), first));
    const Autocast without(bfloat16, {.cache_enabled = false});
    CHECK_FALSE(same(cast(w), cast(w)));
  }
  {
    const NoGrad no_grad;
    CHECK(same(cast(w), first));
    Tensor(w).mul_(2);
  }
  CHECK(equal(cast(w), w.to(bfloat16)));
  const Tensor x = numbers({2, 3});
  (sum(linear(x, w)) + sum(linear(x, w))).backward();  // both by way of one cast
  CHECK(w.grad().dtype() == float32);
}

TEST_CASE("autocast: a backward pass has the dtypes of its forward one, wherever it runs") {
  const Tensor a = numbers({3, 4}).requires_grad_(), b = numbers({4, 2}).requires_grad_(), g = numbers({3, 2});
  const Tensor outside = matmul(a, b);
  outside.backward(g, {.retain_graph = true});
  const Tensor by_a = a.grad().clone(), by_b = b.grad().clone();
  a.zero_grad(), b.zero_grad();
  const Autocast autocast(bfloat16);
  outside.backward(g);
  CHECK(equal(a.grad(), by_a));
  CHECK(equal(b.grad(), by_b));
}

TEST_CASE("autocast: derivatives of every order, within the precision of the dtype") {
  manual_seed(2);
  const Tensor w = (0.4 * numbers({3, 3})).detach().requires_grad_(), x = numbers({2, 3});
  const auto third = [&](const Tensor& weight, const Tensor& input) {
    const auto f = [&](const Tensor& v) { return sum(tanh(linear(linear(v, weight), weight))); };
    const auto once = [&](const Tensor& v) { return sum(square(grad(f, v))); };
    return grad([&](const Tensor& v) { return sum(square(grad(once, v))); }, input);
  };
  const Tensor exact = third(w.to(float64), x.to(float64));
  const Autocast autocast(float16);
  const Tensor actual = third(w, x);
  CHECK(actual.dtype() == float32);
  CHECK(difference(actual, exact) < 0.02);  // some twenty roundings of 2^-11 each
}

TEST_CASE("autocast: checkpoint computes again as it did") {
  nn::Linear fc(4, 4);
  const Tensor x = numbers({2, 4}).requires_grad_();
  const auto run = [&](bool recomputed) {
    Tensor y;
    {
      const Autocast autocast(bfloat16);
      const Tensor first = fc(x);  // fc.weight is cast before
      y = recomputed ? checkpoint([&](const Tensor& h) { return relu(fc(h)); }, first) : relu(fc(first));
    }
    sum(y).backward();
    const Tensor gradient = fc.weight.grad();
    nn::zero_grad(fc);
    return gradient;
  };
  CHECK(difference(run(true), run(false).to(float64)) < 0x1p-6);  // two casts of the weight: two gradients of 16 bits
}
