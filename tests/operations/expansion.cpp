#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> expansion_ops() {
  static const OpInfo ops[] = {
      {"expand", "shape", "x repeated along axes of size 1 and new leading axes", true,
       [] {
         return std::vector<OpSample>{sample("x[0].expand(2, 3, 4)", {sample_normal({3, 1})},
                                             [](auto& x) {
                                               return expand(x[0], {2, 3, 4});
                                             }),
                                      sample("x[0].expand(4, -1)", {sample_normal({3})},
                                             [](auto& x) {
                                               return expand(x[0], {4, -1});
                                             }),
                                      sample("x[0].expand(3, 0)", {sample_normal({1, 0})}, [](auto& x) {
                                        return expand(x[0], {3, 0});
                                      })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        expand(ones({3}), {2, 4});
                                      },
                                      "expand: a tensor of shape (3,)"},
                                     {[] {
                                        expand(ones({2, 3}), {3});
                                      },
                                      "does not broadcast to (3,)"}};
       }},
      {"sum_to", "shape", "sum over the axes along which `shape` broadcasts to x's", true,
       [] {
         return std::vector<OpSample>{
             sample("x[0].sum_to_size(3, 1)", {sample_normal({2, 3, 4})},
                    [](auto& x) {
                      return sum_to(x[0], {3, 1});
                    }),
             sample("x[0].sum_to_size(4)", {sample_normal({5, 4})}, [](auto& x) { return sum_to(x[0], {4}); }),
             sample("x[0].sum_to_size(1, 3, 1)", {sample_normal({2, 3, 4})},
                    [](auto& x) {
                      return sum_to(x[0], {1, 3, 1});
                    }),
             sample("x[0].sum_to_size(1, 3)", {sample_normal({0, 3})}, [](auto& x) {
               return sum_to(x[0], {1, 3});
             })};
       },
       [] {
         return std::vector<OpError>{{[] { sum_to(ones({3}), {2}); }, "sum_to: shape (2,)"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
