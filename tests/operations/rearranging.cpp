#include <xgrad/ops/rearranging.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

using Tensors = std::vector<Tensor>;

Tensor turned() { return transpose(sample_normal({4, 3}).detach(), 0, 1).requires_grad_(); }

template <class F>
OpSample of(const char* reference, const Shape& shape, F f) {
  return sample(reference, {sample_normal(shape)}, [f](auto& x) { return f(x[0]); });
}

std::vector<OpSample> roll_samples() {
  return {of("torch.roll(x[0], 2)", {2, 3}, [](auto& x) { return roll(x, 2); }),
          of("torch.roll(x[0], (-1, 5), (0, -1))", {3, 4},
             [](auto& x) {
               return roll(x, {-1, 5}, {0, -1});
             }),
          sample("torch.roll(x[0], 1, 0)", {turned()}, [](auto& x) { return roll(x[0], 1, 0); }),
          of("torch.roll(x[0], 1, 0)", {0, 3}, [](auto& x) { return roll(x, 1, 0); })};
}

std::vector<OpSample> rot90_samples() {
  return {of("torch.rot90(x[0])", {2, 3}, [](auto& x) { return rot90(x); }),
          of("torch.rot90(x[0], 2, (0, 1))", {2, 3}, [](auto& x) { return rot90(x, 2); }),
          of("torch.rot90(x[0], -1, (2, 0))", {2, 3, 2},
             [](auto& x) {
               return rot90(x, -1, {2, 0});
             }),
          of("torch.rot90(x[0], 4)", {2, 3}, [](auto& x) { return rot90(x, 4); }),
          of("torch.rot90(x[0])", {0, 3}, [](auto& x) { return rot90(x); })};
}

std::vector<OpSample> repeat_samples() {
  return {of("x[0].repeat(2, 3)", {2, 2},
             [](auto& x) {
               return repeat(x, {2, 3});
             }),
          of("x[0].repeat(2, 1, 3)", {3},
             [](auto& x) {
               return repeat(x, {2, 1, 3});
             }),
          of("x[0].repeat(0, 1)", {2, 2},
             [](auto& x) {
               return repeat(x, {0, 1});
             }),
          sample("x[0].repeat(1, 2)", {turned()},
                 [](auto& x) {
                   return repeat(x[0], {1, 2});
                 }),
          of("x[0].repeat(2)", {}, [](auto& x) { return repeat(x, 2); }),
          of("x[0].repeat(2, 3)", {0, 2}, [](auto& x) {
            return repeat(x, {2, 3});
          })};
}

std::vector<OpSample> repeat_interleave_samples() {
  return {of("torch.repeat_interleave(x[0], 2, dim=0)", {2, 3}, [](auto& x) { return repeat_interleave(x, 2, 0); }),
          of("torch.repeat_interleave(x[0], 3, dim=-1)", {2, 3}, [](auto& x) { return repeat_interleave(x, 3, -1); }),
          sample("torch.repeat_interleave(x[0], x[1], dim=1)", {sample_normal({2, 3}), tensor({2, 0, 3})},
                 [](auto& x) { return repeat_interleave(x[0], x[1], 1); }),
          of("torch.repeat_interleave(x[0], 2, dim=1)", {0, 3}, [](auto& x) { return repeat_interleave(x, 2, 1); })};
}

std::vector<OpSample> meshgrid_samples() {
  const Tensors vectors = {sample_normal({2}), sample_normal({3}, 2), sample_normal({}, 3)};
  return {{"torch.meshgrid(*x, indexing='ij')", vectors, [](const Tensors& x) { return meshgrid(x); }},
          {"torch.meshgrid(*x, indexing='xy')", vectors,
           [](const Tensors& x) { return meshgrid(x, {.indexing = MeshgridOptions::xy}); }},
          {"torch.meshgrid(*x, indexing='ij')", {sample_normal({0}), sample_normal({2}, 2)}, [](const Tensors& x) {
             return meshgrid(x);
           }}};
}

std::vector<OpSample> movedim_samples() {
  return {of("torch.movedim(x[0], 0, 2)", {2, 3, 4}, [](auto& x) { return movedim(x, 0, 2); }),
          of("torch.movedim(x[0], (2, 0), (0, 1))", {2, 3, 4},
             [](auto& x) {
               return movedim(x, {2, 0}, {0, 1});
             }),
          of("torch.movedim(x[0], -1, 0)", {0, 3}, [](auto& x) { return movedim(x, -1, 0); })};
}

}  // namespace

std::span<const OpInfo> rearranging_ops() {
  static const OpInfo ops[] = {
      {"roll", "rearranging", "x[i - shift] along axes, around the end", true, roll_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        roll(ones({2, 3}), {1, 2});
                                      },
                                      "roll: 2 shifts without axes"},
                                     {[] {
                                        roll(ones({2, 3}), {1, 2}, {0});
                                      },
                                      "each axis has one"},
                                     {[] {
                                        roll(ones({2, 3}), 1, 2);
                                      },
                                      "roll: axis 2 is out of range"}};
       }},
      {"rot90", "rearranging", "turned by 90 degrees in the plane of two axes", true, rot90_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        rot90(ones({2, 3}), 1, {0, -2});
                                      },
                                      "are the same; a plane has two"},
                                     {[] {
                                        rot90(ones({2, 3}), 1, 0);
                                      },
                                      "rot90: axes (0,)"}};
       }},
      {"repeat", "rearranging", "x one after the other along each axis", true, repeat_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        repeat(ones({2, 3}), 2);
                                      },
                                      "repeat: (2,) for shape (2, 3)"},
                                     {[] {
                                        repeat(ones({2, 3}), {2, -1});
                                      },
                                      "repeat: -1 repetitions along axis 1"},
                                     {[] {
                                        repeat(ones({2, 3}), {INT64_MAX, 2});
                                      },
                                      "elements"}};
       }},
      {"tile", "rearranging", "repeat along the last axes", true,
       [] {
         return std::vector<OpSample>{of("torch.tile(x[0], (2,))", {2, 3}, [](auto& x) { return tile(x, 2); }),
                                      of("torch.tile(x[0], (2, 1, 2))", {2, 2},
                                         [](auto& x) {
                                           return tile(x, {2, 1, 2});
                                         }),
                                      of("torch.tile(x[0], (2,))", {0}, [](auto& x) { return tile(x, 2); })};
       },
       [] {
         return std::vector<OpError>{{[] { tile(ones({2}), -2); }, "tile: -2 repetitions"}};
       }},
      {"repeat_interleave", "rearranging", "every part several times before the next", true, repeat_interleave_samples,
       [] {
         return std::vector<OpError>{{[] { repeat_interleave(ones({2}), -1, 0); }, "repeat_interleave: -1 repetitions"},
                                     {[] {
                                        repeat_interleave(ones({2}), tensor({1, -1}), 0);
                                      },
                                      "repeat_interleave: -1 repetitions"},
                                     {[] {
                                        repeat_interleave(ones({2}), tensor({1, 1, 1}), 0);
                                      },
                                      "repetitions of shape (3,)"},
                                     {[] { repeat_interleave(ones({2}), 1, 1); }, "axis 1 is out of range"}};
       }},
      {"meshgrid", "rearranging", "the coordinates of a grid", true, meshgrid_samples,
       [] {
         return std::vector<OpError>{{[] { meshgrid({ones({2, 2})}); }, "meshgrid: tensor 0 has shape (2, 2)"}};
       }},
      {"movedim", "rearranging", "axes moved to other places", true, movedim_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        movedim(ones({2, 3}), {0, 1}, {1});
                                      },
                                      "there must be as many of both"},
                                     {[] {
                                        movedim(ones({2, 3}), {0, 0}, {0, 1});
                                      },
                                      "an axis is named twice"}};
       }},
      {"swapaxes", "rearranging", "two axes exchanged", true,
       [] {
         return std::vector<OpSample>{
             of("torch.swapaxes(x[0], 0, -1)", {2, 3, 4}, [](auto& x) { return swapaxes(x, 0, -1); }),
             of("torch.swapaxes(x[0], 0, 1)", {0, 3}, [](auto& x) { return swapaxes(x, 0, 1); })};
       },
       [] {
         return std::vector<OpError>{{[] { swapaxes(ones({2, 3}), 0, 2); }, "axis 2 is out of range"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
