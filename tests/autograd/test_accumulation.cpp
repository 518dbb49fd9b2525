// Gradients that are added to what is there: of every layout, and by parts.
#include <xgrad/xgrad.hpp>

#include <fstream>
#include <sstream>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;

namespace {

struct Layout {
  const char* name;
  Tensor (*make)(const Tensor&);  // equal elements, otherwise laid out
};

Tensor filled(Tensor memory, const Tensor& x) {
  memory.copy_(x);
  return memory;
}

const Layout layouts[] = {
    {"dense", [](const Tensor& x) { return x.clone(); }},
    {"transposed",
     [](const Tensor& x) {
       return filled(transpose(zeros({x.size(1), x.size(0)}, {.dtype = x.dtype()}), 0, 1), x);
     }},
    {"every second column",
     [](const Tensor& x) {
       return filled(slice(zeros({x.size(0), 2 * x.size(1)}, {.dtype = x.dtype()}), 1, 0, INT64_MAX, 2), x);
     }},
    {"every third row",
     [](const Tensor& x) {
       return filled(slice(zeros({3 * x.size(0), x.size(1)}, {.dtype = x.dtype()}), 0, 1, INT64_MAX, 3), x);
     }},
    {"part of a larger one",
     [](const Tensor& x) {
       const Tensor large = zeros({x.size(0) + 3, x.size(1) + 5}, {.dtype = x.dtype()});
       return filled(narrow(narrow(large, 0, 2, x.size(0)), 1, 4, x.size(1)), x);
     }},
    {"part of a transposed one",
     [](const Tensor& x) {
       const Tensor large = zeros({x.size(1) + 3, x.size(0) + 5}, {.dtype = x.dtype()});
       return filled(transpose(narrow(narrow(large, 0, 2, x.size(1)), 1, 4, x.size(0)), 0, 1), x);
     }},
    {"permuted", [](const Tensor& x) {
       return filled(select(permute(zeros({x.size(1), 2, x.size(0)}, {.dtype = x.dtype()}), {1, 2, 0}), 0, 1), x);
     }}};

/// Small ones, ones staged in several blocks, and ones for several threads.
const Shape shapes[] = {{2, 3}, {3, 700}, {700, 3}, {300, 400}};

bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && all(a == b).item<bool>();
}

/// Leaves the stack full of numbers that could pass for elements.
[[gnu::noinline]] void dirty_stack() {
  volatile double junk[8192];
  for (double volatile& number : junk) number = 1234.5;
}

std::size_t count_in_profile(const std::string& name, const std::function<void()>& f) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("trace.json");
  {
    const Profile profile(path);
    f();
  }
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string trace = text.str(), wanted = "\"name\":\"" + name + "\"";
  std::size_t count = 0;
  for (std::size_t at = trace.find(wanted); at != std::string::npos; at = trace.find(wanted, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("accumulation: into a gradient of every layout", "[threads]") {
  for (const DType dtype : {float32, float64})
    for (const Shape& shape : shapes)
      for (const Layout& layout : layouts) {
        INFO(layout.name << ", " << shape.str() << ", " << name(dtype));
        const TensorOptions options{.dtype = dtype};
        Tensor x = zeros(shape, {.dtype = dtype, .requires_grad = true});
        const Tensor w = randn(shape, options), before = randn(shape, options);
        const Tensor given = layout.make(before);
        x.set_grad(given);
        dirty_stack();
        sum(x * w).backward();
        CHECK(equal(x.grad(), before + w));
        CHECK(equal(given, before + w));  // in its memory, as in PyTorch
        dirty_stack();
        sum(transpose(x, 0, 1) * transpose(w, 0, 1)).backward();
        CHECK(equal(x.grad(), before + w + w));
      }
}

TEST_CASE("accumulation: what lies between the elements of a gradient stays as it is") {
  Tensor x = zeros({5}, {.requires_grad = true}), large = zeros({10});
  x.set_grad(slice(large, 0, 0, 10, 2));
  sum(x).backward();
  CHECK(equal(large, tensor({1.0, 0, 1, 0, 1, 0, 1, 0, 1, 0})));
}

TEST_CASE("accumulation: an expanded gradient is replaced by one with an element for each", "[threads]") {
  for (const DType dtype : {float32, float64})
    for (const Shape& shape : shapes)
      for (const Shape& from : {Shape{}, Shape{1, shape[1]}, Shape{shape[0], 1}}) {
        INFO(from.str() << " expanded to " << shape.str());
        const TensorOptions options{.dtype = dtype};
        Tensor x = zeros(shape, {.dtype = dtype, .requires_grad = true});
        const Tensor w = randn(shape, options), before = randn(from, options);
        x.set_grad(expand(before, shape));
        const Tensor untouched = before.clone();
        dirty_stack();
        sum(x * w).backward();
        CHECK(equal(x.grad(), expand(before, shape) + w));
        sum(x * w).backward();
        CHECK(equal(x.grad(), expand(before, shape) + w + w));
        CHECK(equal(before, untouched));
      }
}

TEST_CASE("accumulation: operations in place on every layout") {
  for (const Shape& shape : shapes)
    for (const Layout& layout : layouts) {
      INFO(layout.name << ", " << shape.str());
      const Tensor before = randn(shape), other = randn(shape);
      const auto changed = [&](void (*change)(Tensor&, const Tensor&)) {
        Tensor x = layout.make(before);
        dirty_stack();
        change(x, other);
        return x;
      };
      CHECK(equal(changed([](Tensor& x, const Tensor& y) { x.add_(y); }), before + other));
      CHECK(equal(changed([](Tensor& x, const Tensor& y) { x.mul_(transpose(transpose(y, 0, 1).contiguous(), 0, 1)); }),
                  before * other));
      CHECK(equal(changed([](Tensor& x, const Tensor&) { x.sub_(2.5); }), before - 2.5));
      CHECK(equal(changed([](Tensor& x, const Tensor& y) { x.copy_(y); }), other));
    }
}

TEST_CASE("accumulation: optimizers and clipping take gradients of every layout") {
  const auto run = [](auto&& make, const Layout& layout) {
    manual_seed(3);
    Tensor x = randn({30, 40}, {.requires_grad = true});
    auto optimizer = make(std::vector<Tensor>{x});
    for (int step = 0; step < 3; ++step) {
      x.set_grad(layout.make(randn({30, 40})));
      sum(x * x).backward();
      optim::clip_grad_norm_({x}, 20);
      optim::clip_grad_value_({x}, 1);
      optimizer.step();
    }
    return x.detach();
  };
  const auto sgd = [](auto parameters) { return optim::SGD(parameters, {.lr = 0.1, .momentum = 0.9}); };
  const auto adam = [](auto parameters) { return optim::Adam(parameters, {.lr = 0.1}); };
  const auto rmsprop = [](auto parameters) { return optim::RMSprop(parameters, {.lr = 0.1}); };
  for (const Layout& layout : layouts) {
    INFO(layout.name);
    CHECK(equal(run(sgd, layout), run(sgd, layouts[0])));
    CHECK(equal(run(adam, layout), run(adam, layouts[0])));
    CHECK(equal(run(rmsprop, layout), run(rmsprop, layouts[0])));
  }
}

TEST_CASE("accumulation: parts of a tensor add to one gradient, however many there are") {
  const auto by_select = [](const Tensor& x, std::int64_t i) { return select(x, 1, i); };
  const auto by_slice = [](const Tensor& x, std::int64_t i) { return slice(x, 1, i, i + 3, 2); };
  const auto by_narrow = [](const Tensor& x, std::int64_t i) { return narrow(x, 1, i, 1); };
  const auto by_split = [](const Tensor& x, std::int64_t i) { return split(x, {i, x.size(1) - i}, 1)[i % 2]; };
  const auto by_unbind = [](const Tensor& x, std::int64_t i) { return unbind(x, 1)[static_cast<std::size_t>(i)]; };
  const std::pair<const char*, std::function<Tensor(const Tensor&, std::int64_t)>> parts[] = {
      {"select", by_select}, {"slice", by_slice}, {"narrow", by_narrow}, {"split", by_split}, {"unbind", by_unbind}};
  for (const auto& [name, part] : parts)
    for (const std::int64_t length : {2, 40}) {
      INFO(name << ", " << length);
      manual_seed(1);
      const Tensor x = randn({3, length, 4}, {.dtype = float64, .requires_grad = true});
      const auto loss = [&, &part = part](const Tensor& t) {
        Tensor total = sum(t * 0.5);
        for (std::int64_t i = 0; i < length; ++i) total = total + sum(square(part(t, i)) * static_cast<double>(i + 1));
        return total;
      };
      // Recorded, every part has a gradient of full size, added up by operations.
      const Tensor recorded = grad(loss(x), {x}, {.create_graph = true})[0];
      CHECK(allclose(grad(loss(x), {x})[0], recorded, {.rtol = 1e-14, .atol = 0}));
      loss(x).backward();
      CHECK(allclose(x.grad(), recorded, {.rtol = 1e-14, .atol = 0}));
      const auto times = [&](int n) {
        Tensor y = x * 1.0;  // no leaf
        Tensor total = loss(y);
        for (int i = 1; i < n; ++i) total = total + loss(y);
        return grad(total, {x})[0];
      };
      CHECK(allclose(times(3), times(1) * 3.0, {.rtol = 1e-14, .atol = 0}));
      const std::size_t buffers = count_in_profile("slice_backward", [&] { loss(x).backward(); });
      CHECK(buffers <= 1);
      CHECK(count_in_profile("accumulate", [&] { loss(x).backward(); }) == 0);
    }
}

TEST_CASE("accumulation: parts do not write into what others hold") {
  Tensor x = ones({4}, {.dtype = float64, .requires_grad = true});
  Tensor seen;
  Tensor y = x * 1.0;
  const auto hook = y.register_hook([&](const Tensor& gradient) {
    seen = gradient;
    return Tensor();
  });
  const Tensor seed = tensor({1, 2, 3, 4}, {.dtype = float64});
  // The seed reaches y first; then a part of y adds to it.
  const Tensor part = select(y, 0, 1) * 10.0;
  const Tensor whole = y + zeros({4}, {.dtype = float64});
  const auto gradients = grad({whole, part}, {x}, {.grad_outputs = {seed, Tensor()}});
  CHECK(equal(gradients[0], tensor({1, 12, 3, 4}, {.dtype = float64})));
  CHECK(equal(seed, tensor({1, 2, 3, 4}, {.dtype = float64})));
  CHECK(equal(seen, gradients[0]));
}

TEST_CASE("accumulation: second derivatives through parts of a tensor") {
  const Tensor x = randn({3, 4}, {.dtype = float64, .requires_grad = true});
  const auto f = [](const Tensor& t) {
    Tensor total = sum(t * t * t);
    for (std::int64_t i = 0; i < 4; ++i) total = total + sum(square(select(t, 1, i)) * narrow(t, 1, (i + 1) % 4, 1));
    for (const Tensor& row : unbind(t)) total = total + prod(row);
    for (const Tensor& row : split(t, 2, 1)) total = total * sum(row);
    return total;
  };
  CHECK(gradcheck(f, {x}));
  CHECK(gradgradcheck(f, {x}));
}

TEST_CASE("accumulation: a custom operation adds its part") {
  struct First {  // x[0]
    Shape shape = {};
    int* added;
    Tensor forward(const Tensor& x) {
      shape = x.shape();
      return narrow(x, 0, 0, 1).clone();
    }
    Tensor backward(const Tensor& grad) const {
      const Tensor full = zeros(shape, {.dtype = grad.dtype()});
      narrow(full, 0, 0, 1).copy_(grad);
      return full;
    }
    void add_backward(const Tensor& grad, const Tensor& sum) const {
      ++*added;
      narrow(sum, 0, 0, 1).add_(grad);
    }
  };
  int added = 0;
  Tensor x = ones({3}, {.requires_grad = true});
  const Tensor once = apply(First{.added = &added}, x), twice = apply(First{.added = &added}, x) * 2.0,
               all_of_it = sum(x);
  sum(once + twice + all_of_it).backward();
  CHECK(added == 2);
  CHECK(equal(x.grad(), tensor({4.0, 1, 1})));
}
