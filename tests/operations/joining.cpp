#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

std::vector<OpSample> concat_samples() {
  const Tensor x = sample_normal({2, 3}, 1), y = sample_normal({2, 1}, 2), z = sample_normal({3, 2}, 3);
  return {sample("torch.cat((x[0], x[1]), dim=1)", {x, y}, [](auto& in) { return concat(in, 1); }),
          sample("torch.cat((x[0], x[1].T))", {x, z},
                 [](auto& in) {
                   return concat({in[0], transpose(in[1], 0, 1)});
                 }),
          sample("torch.cat((x[0], x[0], x[1]), dim=-1)", {x, y},
                 [](auto& in) {
                   return cat({in[0], in[0], in[1]}, -1);
                 }),
          sample("torch.cat((x[0],))", {x}, [](auto& in) { return concat(in); }),
          sample("torch.cat((x[0], x[1]))", {x, sample_normal({0, 3})}, [](auto& in) { return cat(in); })};
}

std::vector<OpError> concat_errors() {
  return {{[] { concat({}); }, "concat: no tensors"},
          {[] {
             concat({ones({2, 3}), ones({2, 4})});
           },
           "concat: shapes (2, 3) and (2, 4) differ, not only along axis 0"},
          {[] {
             concat({ones({2, 3}), ones({3})});
           },
           "concat: shapes (2, 3) and (3,) differ"},
          {[] {
             concat({ones({2, 3}), ones({2, 3})}, 2);
           },
           "concat: axis 2 is out of range"},
          {[] {
             concat({ones({}), ones({})});
           },
           "concat: axis 0 is out of range for a tensor with 0 axes"},
          {[] {
             concat({ones({2}), Tensor()});
           },
           "undefined"},
          {[] {
             const Tensor huge = expand(ones({1, 0}), {INT64_MAX, 0});
             concat({huge, huge});
           },
           "concat: the size of axis 0 is over 2^63 - 1"}};
}

std::vector<OpSample> stack_samples() {
  const Tensor x = sample_normal({2, 3}, 1), y = sample_normal({2, 3}, 2);
  return {sample("torch.stack((x[0], x[1]))", {x, y}, [](auto& in) { return stack(in); }),
          sample("torch.stack((x[0], x[1]), dim=1)", {x, y}, [](auto& in) { return stack(in, 1); }),
          sample("torch.stack((x[0], x[1]), dim=-1)", {x, y}, [](auto& in) { return stack(in, -1); }),
          sample("torch.stack((x[0], x[0]))", {sample_normal({})},
                 [](auto& in) {
                   return stack({in[0], in[0]});
                 }),
          sample("torch.stack((x[0], x[0]))", {sample_normal({0})}, [](auto& in) {
            return stack({in[0], in[0]});
          })};
}

std::vector<OpError> stack_errors() {
  return {{[] { stack({}); }, "stack: no tensors"},
          {[] {
             stack({ones({2}), ones({3})});
           },
           "stack: shapes (2,) and (3,) differ"},
          {[] {
             stack({ones({2}), ones({2})}, 2);
           },
           "axis 2 is out of range"}};
}

}  // namespace

std::span<const OpInfo> joining_ops() {
  static const OpInfo ops[] = {
      {"concat", "joining", "tensors one after the other along an axis", true, concat_samples, concat_errors},
      {"cat", "joining", "concat", true, concat_samples, concat_errors},
      {"stack", "joining", "tensors one after the other along a new axis", true, stack_samples, stack_errors},
  };
  return ops;
}

}  // namespace xgrad::detail
