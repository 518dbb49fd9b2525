#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> pad_ops() {
  static const OpInfo ops[] = {
      {"pad", "shape", "x with a border: of a value, mirrored, of its edge, or from the other end", true,
       [] {
         const auto with = [](const Tensor& x, const char* arguments, const Shape& sizes,
                              const PadOptions& options = {}) {
           return sample(std::string("F.pad(x[0], ") + arguments + ")", {x},
                         [=](auto& in) { return pad(in[0], sizes, options); });
         };
         const Tensor x = sample_normal({2, 3, 4, 5}),
                      turned = permute(sample_normal({2, 4, 1, 3}).detach(), {0, 3, 1, 2}).requires_grad_();
         return std::vector<OpSample>{
             with(x, "(1, 2)", {1, 2}),
             with(x, "(1, 0, 2, 1), value=0.5", {1, 0, 2, 1}, {.value = 0.5}),
             with(x, "(1, -2, -1, 1)", {1, -2, -1, 1}),
             with(x, "(0, 0, 0, 0, 1, 1, 1, 0)", {0, 0, 0, 0, 1, 1, 1, 0}),
             with(turned, "(2, 1, 0, 1)", {2, 1, 0, 1}),
             with(x, "(4, 1, 0, 3), 'reflect'", {4, 1, 0, 3}, {.mode = PadMode::reflect}),
             with(x, "(7, 1, 0, 3), 'replicate'", {7, 1, 0, 3}, {.mode = PadMode::replicate}),
             with(x, "(5, 1, 0, 4), 'circular'", {5, 1, 0, 4}, {.mode = PadMode::circular}),
             with(sample_normal({2, 0}), "(1, 1)", {1, 1}),
             with(sample_normal({0, 2, 3}), "(1, 2), 'reflect'", {1, 2}, {.mode = PadMode::reflect})};
       },
       [] {
         const auto of = [](const Shape& x, const Shape& sizes, PadMode mode) {
           return [=] { pad(ones(x), sizes, {.mode = mode}); };
         };
         return std::vector<OpError>{
             {of({2, 3}, {1}, PadMode::constant),
              "1 sizes (1,) for an input of shape (2, 3); two are needed for each axis"},
             {of({3}, {1, 1, 1, 1}, PadMode::constant), "at most 2"},
             {of({3}, {-2, -2}, PadMode::constant), "take more from axis 0 than an input of shape (3,) has"},
             {of({2, 3}, {3, 0}, PadMode::reflect),
              "a border of 3 along axis 1 of an input of shape (2, 3); "
              "PadMode::reflect takes at most 2"},
             {of({2, 3}, {0, 4}, PadMode::circular), "PadMode::circular takes at most 3"},
             {of({2, 0}, {1, 0}, PadMode::replicate), "no elements along axis 1 to make a border of"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
