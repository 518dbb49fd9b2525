#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/unfold.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> unfold_ops() {
  static const OpInfo ops[] = {
      {"unfold", "pooling", "the elements under each window, as columns", true,
       [] {
         const auto with = [](const Tensor& x, const char* arguments, const Shape& kernel,
                              const UnfoldOptions& options = {}) {
           return sample(std::string("F.unfold(x[0], ") + arguments + ")", {x},
                         [=](auto& in) { return unfold(in[0], kernel, options); });
         };
         return std::vector<OpSample>{with(sample_normal({2, 2, 4, 5}), "(2, 3)", {2, 3}),
                                      with(sample_normal({1, 2, 5, 4}), "3, 2, (1, 2), (2, 1)", 3,
                                           {.dilation = 2, .padding = {1, 2}, .stride = {2, 1}}),
                                      with(permute(sample_normal({2, 3, 4, 2}).detach(), {0, 3, 1, 2}).requires_grad_(),
                                           "2, padding=1", 2, {.padding = 1}),
                                      with(sample_normal({1, 3, 3}), "1, stride=5", 1, {.stride = 5}),
                                      with(sample_normal({0, 1, 2, 2}), "2", 2)};
       },
       [] {
         const auto of = [](const Shape& x, const Shape& kernel, const UnfoldOptions& options = {}) {
           return [=] { unfold(ones(x), kernel, options); };
         };
         return std::vector<OpError>{
             {of({2, 2}, 2), "input has shape (2, 2); (N, C, H, W) or (C, H, W) is needed"},
             {of({1, 1, 2, 2}, 3), "reaches over 3 places, more than the 2 of a padded image of 2 x 2"},
             {of({1, 1, 4, 4}, 2, {.stride = 0}), "stride is (0, 0); it must be at least 1"},
             {of({1, 1, 4, 4}, {2, 2, 2}), "kernel_size has 3 numbers"},
             {of({1, 0, 4, 4}, 2), "only the batch may be empty"},
             {of({1, 1, 4, 4}, 2, {.padding = 2147483647}), "2^63 - 1"},
             {[] {
                unfold(ones({1, 1, 4, 4}, {.dtype = int64}), 2);
              },
              "input is int64; convert it with .to(float32)"}};
       }},
      {"fold", "pooling", "columns added up to images", true,
       [] {
         const auto with = [](const Tensor& x, const char* arguments, const Shape& size, const Shape& kernel,
                              const UnfoldOptions& options = {}) {
           return sample(std::string("F.fold(x[0], ") + arguments + ")", {x},
                         [=](auto& in) { return fold(in[0], size, kernel, options); });
         };
         return std::vector<OpSample>{with(sample_normal({2, 12, 9}), "(4, 5), (2, 3)", {4, 5}, {2, 3}),
                                      with(sample_normal({1, 9, 8}), "(5, 4), 3, 2, (1, 2), (2, 1)", {5, 4}, 3,
                                           {.dilation = 2, .padding = {1, 2}, .stride = {2, 1}}),
                                      with(sample_normal({4, 9}), "2, 2, padding=1", 2, 2, {.padding = 1}),
                                      with(sample_normal({0, 4, 1}), "2, 2", 2, 2)};
       },
       [] {
         const auto of = [](const Shape& x, const Shape& size, const Shape& kernel) {
           return [=] { fold(ones(x), size, kernel); };
         };
         return std::vector<OpError>{
             {of({1, 6, 9}, 4, 2), "has 6 elements a column; for kernel_size (2,) they must be a multiple of 4"},
             {of({1, 4, 8}, 4, 2), "has 8 columns; for output_size (4,) and kernel_size (2,) there must be 3 * 3 = 9"},
             {of({1, 4, 1, 1}, 4, 2), "(N, C kh kw, L) or (C kh kw, L) is needed"},
             {of({1, 4, 1}, 1, 2), "use a smaller kernel"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
