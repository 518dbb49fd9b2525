#include <xgrad/ops/bitwise.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor integers(const Shape& shape, std::int64_t factor) {
  Tensor x = empty(shape, {.dtype = int64});
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<std::int64_t>()[i] = (i * factor + 3) % 101 - 50;
  return x;
}
Tensor shifts() { return tensor({0, 1, 5, 31}, {.dtype = int64}); }

std::vector<OpSample> pairs(const std::string& reference, BinaryFunction f) {
  const auto of = [&](Tensor a, Tensor b) { return sample(reference, {a, b}, [f](auto& x) { return f(x[0], x[1]); }); };
  return {of(integers({3, 4}, 17), integers({4}, 23)), of(integers({0, 4}, 1), integers({4}, 1)),
          of(tensor({true, true, false}), tensor({true, false, false}))};
}

std::vector<OpError> errors(BinaryFunction f) {
  const Tensor whole = ones({2}, {.dtype = int64});
  return {{[f, whole] { f(whole, ones({2})); }, "a tensor is float32; only integers"},
          {[f, whole] { f(whole, ones({3}, {.dtype = int64})); }, "shapes (2,) and (3,) do not broadcast"},
          {[f, whole] { f(whole, Tensor()); }, "undefined"},
          {[f, whole] { f(Tensor(), whole); }, "undefined"}};
}

}  // namespace

std::span<const OpInfo> bitwise_ops() {
  static const OpInfo ops[] = {
      {"bitwise_and", "comparison", "bits that are in a and b", false,
       [] { return pairs("x[0] & x[1]", [](auto& a, auto& b) { return a & b; }); },
       [] { return errors([](auto& a, auto& b) { return bitwise_and(a, b); }); }},
      {"bitwise_or", "comparison", "bits that are in a or b", false,
       [] { return pairs("x[0] | x[1]", [](auto& a, auto& b) { return a | b; }); },
       [] { return errors([](auto& a, auto& b) { return bitwise_or(a, b); }); }},
      {"bitwise_xor", "comparison", "bits that are in one of a and b", false,
       [] { return pairs("x[0] ^ x[1]", [](auto& a, auto& b) { return a ^ b; }); },
       [] { return errors([](auto& a, auto& b) { return bitwise_xor(a, b); }); }},
      {"bitwise_not", "comparison", "bits that are not in x", false,
       [] {
         return std::vector<OpSample>{sample("~x[0]", {integers({3, 4}, 7)}, [](auto& x) { return ~x[0]; }),
                                      sample("~x[0]", {integers({0}, 7)}, [](auto& x) { return ~x[0]; }),
                                      sample("~x[0]", {tensor({true, false})}, [](auto& x) { return ~x[0]; })};
       },
       [] {
         return std::vector<OpError>{{[] { bitwise_not(ones({2})); }, "bitwise_not: a tensor is float32"}};
       }},
      {"bitwise_left_shift", "comparison", "a 2^b", false,
       [] {
         return std::vector<OpSample>{
             sample("x[0] << x[1]", {integers({3, 4}, 7), shifts()}, [](auto& x) { return x[0] << x[1]; }),
             sample("x[0] << x[1]", {integers({0, 4}, 7), shifts()}, [](auto& x) { return x[0] << x[1]; }),
             sample("x[0] << 3", {integers({5}, 7)}, [](auto& x) { return x[0] << 3; })};
       },
       [] { return errors([](auto& a, auto& b) { return bitwise_left_shift(a, b); }); }},
      {"bitwise_right_shift", "comparison", "floor(a / 2^b)", false,
       [] {
         return std::vector<OpSample>{
             sample("x[0] >> x[1]", {integers({3, 4}, 7), shifts()}, [](auto& x) { return x[0] >> x[1]; }),
             sample("x[0] >> x[1]", {integers({0, 4}, 7), shifts()}, [](auto& x) { return x[0] >> x[1]; }),
             sample("x[0] >> 3", {integers({5}, 7)}, [](auto& x) { return x[0] >> 3; })};
       },
       [] { return errors([](auto& a, auto& b) { return bitwise_right_shift(a, b); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
