#include <xgrad/ops/bilinear.hpp>
#include <xgrad/ops/einsum.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

OpSample einsum_sample(const std::string& equation, const std::vector<Shape>& shapes) {
  std::vector<Tensor> operands;
  for (const Shape& shape : shapes) operands.push_back(sample_normal(shape, 1 + operands.size()));
  return {"torch.einsum('" + equation + "', *x)", operands,
          [equation](const std::vector<Tensor>& x) { return std::vector<Tensor>{einsum(equation, x)}; }};
}

std::vector<OpSample> einsum_samples() {
  return {einsum_sample("ik,kj->ij", {{2, 3}, {3, 4}}),
          einsum_sample("ik,kj->ji", {{2, 3}, {3, 4}}),
          einsum_sample("ik,kj", {{2, 3}, {3, 4}}),
          einsum_sample("ab,cb->", {{2, 3}, {4, 3}}),
          einsum_sample("i,i->", {{3}, {3}}),
          einsum_sample("i,j->ij", {{3}, {2}}),
          einsum_sample("i,i->i", {{3}, {3}}),
          einsum_sample("ij,i->ij", {{3, 2}, {3}}),
          einsum_sample("ba", {{2, 3}}),
          einsum_sample("aB", {{2, 3}}),
          einsum_sample("ij->i", {{2, 3}}),
          einsum_sample("ii", {{3, 3}}),
          einsum_sample("ii->i", {{3, 3}}),
          einsum_sample("iji->j", {{3, 2, 3}}),
          einsum_sample("iii->i", {{3, 3, 3}}),
          einsum_sample("ijij->ji", {{2, 3, 2, 3}}),
          einsum_sample("ii,ij->j", {{3, 3}, {3, 2}}),
          einsum_sample("bqhd,bkhd->bhqk", {{2, 3, 2, 4}, {2, 2, 2, 4}}),
          einsum_sample("bhqk,bkhd->bqhd", {{2, 2, 3, 2}, {2, 2, 2, 3}}),
          einsum_sample("abc,cbd,de->ae", {{2, 3, 2}, {2, 3, 4}, {4, 2}}),
          einsum_sample("a,ab,bc,c->", {{2}, {2, 3}, {3, 2}, {2}}),
          einsum_sample("a,b,a->b", {{2}, {3}, {2}}),
          einsum_sample(" i j , j -> i ", {{2, 3}, {3}}),
          einsum_sample("...ij->...ji", {{2, 3, 4}}),
          einsum_sample("...ij,...jk->...ik", {{2, 1, 2, 3}, {3, 3, 2}}),
          einsum_sample("...i,...i", {{2, 3}, {3}}),
          einsum_sample("i...,i->...", {{3, 2, 2}, {3}}),
          einsum_sample("i...->i", {{3, 2, 2}}),
          einsum_sample("...", {{2, 3}}),
          einsum_sample("i,...->i...", {{2}, {}}),
          einsum_sample("ij,ij->ij", {{1, 3}, {2, 3}}),
          einsum_sample("ij,ij->i", {{1, 3}, {2, 1}}),
          einsum_sample("a,a,a,a,a,a,a,a,ab->b", {{2}, {2}, {2}, {2}, {2}, {2}, {2}, {2}, {2, 3}}),
          einsum_sample("ik,kj->ij", {{0, 3}, {3, 4}}),
          einsum_sample("ik,kj->ij", {{2, 0}, {0, 4}}),
          {"torch.einsum('ij,jk->ik', x[0].mT, x[1].mT)",
           {sample_normal({3, 2}, 1), sample_normal({4, 3}, 2)},
           [](const std::vector<Tensor>& x) {
             return std::vector<Tensor>{einsum("ij,jk->ik", {transpose(x[0], 0, 1), transpose(x[1], 0, 1)})};
           }}};
}

OpError einsum_error(const char* equation, const std::vector<Shape>& shapes, const char* message) {
  return {[=] {
            std::vector<Tensor> operands;
            for (const Shape& shape : shapes) operands.push_back(ones(shape));
            einsum(equation, operands);
          },
          message};
}

std::vector<OpError> einsum_errors() {
  return {einsum_error("ij,jk", {{2, 2}}, "\"ij,jk\" has 2 operands, 1 were given"),
          einsum_error("ij->i1", {{2, 2}}, "has a '1'"),
          einsum_error("ij->i->j", {{2, 2}}, "has a '-'"),
          einsum_error("i.j->ij", {{2, 2}}, "has a '.'"),
          einsum_error("...i...", {{2, 2}}, "has two ... for one tensor"),
          einsum_error("ij->ii", {{2, 2}}, "names an axis of the result twice"),
          einsum_error("ij->ik", {{2, 2}}, "names an axis of the result that no operand has"),
          einsum_error("ijk->i", {{2, 2}}, "names 3 axes of operand 0, which has shape (2, 2)"),
          einsum_error("...ijk->i", {{2, 2}}, "names 3 axes of operand 0"),
          einsum_error("ij,jk->ik", {{2, 3}, {4, 2}}, "axis j has the sizes 3 and 4"),
          einsum_error("...i,...i->...", {{2, 3}, {4, 3}}, "axis -1 of ... has the sizes 2 and 4"),
          einsum_error("ii->i", {{2, 3}}, "axis i has the sizes 2 and 3"),
          einsum_error("ii->i", {{1, 3}}, "takes a diagonal of operand 0, of shape (1, 3), whose sizes differ"),
          {[] { einsum("i->i", {Tensor()}); }, "undefined"}};
}

std::vector<OpSample> tensordot_samples() {
  const auto with_axes = [](const Shape& a, const Shape& b, const Shape& a_axes, const Shape& b_axes) {
    const auto list = [](const Shape& axes) {
      std::string text;
      for (const std::int64_t axis : axes) text += std::to_string(axis) + ", ";
      return "(" + text + ")";
    };
    return sample("torch.tensordot(x[0], x[1], dims=(" + list(a_axes) + ", " + list(b_axes) + "))",
                  {sample_normal(a, 1), sample_normal(b, 2)},
                  [=](auto& x) { return tensordot(x[0], x[1], a_axes, b_axes); });
  };
  const auto last = [](const Shape& a, const Shape& b, std::int64_t n) {
    return sample("torch.tensordot(x[0], x[1], dims=" + std::to_string(n) + ")",
                  {sample_normal(a, 1), sample_normal(b, 2)}, [n](auto& x) { return tensordot(x[0], x[1], n); });
  };
  return {last({2, 3, 4}, {3, 4, 2}, 2),
          last({2, 3}, {3}, 1),
          last({2}, {3}, 0),
          last({0, 3}, {3, 2}, 1),
          with_axes({2, 3, 4}, {4, 2, 2}, {2, 0}, {0, 1}),
          with_axes({2, 3}, {3, 2}, {-1, 0}, {0, 1})};
}

std::vector<OpSample> bilinear_samples() {
  const auto call = [](const Shape& a, const Shape& b, const Shape& weight) {
    return sample("F.bilinear(x[0], x[1], x[2], x[3])",
                  {sample_normal(a, 1), sample_normal(b, 2), sample_normal(weight, 3), sample_normal({weight[0]}, 4)},
                  [](auto& x) { return bilinear(x[0], x[1], x[2], x[3]); });
  };
  return {call({3, 2}, {3, 4}, {2, 2, 4}), call({2, 3, 2}, {2, 3, 1}, {3, 2, 1}), call({0, 2}, {0, 3}, {2, 2, 3}),
          sample("F.bilinear(x[0], x[1], x[2])",
                 {sample_normal({2, 2}, 1), sample_normal({2, 3}, 2), sample_normal({1, 2, 3}, 3)},
                 [](auto& x) { return bilinear(x[0], x[1], x[2]); })};
}

}  // namespace

std::span<const OpInfo> einsum_ops() {
  static const OpInfo ops[] = {
      {"einsum", "matrix products", "sums of products over named axes", true, einsum_samples, einsum_errors},
      {"tensordot", "matrix products", "the sum of products over axes of both", true, tensordot_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        tensordot(ones({2, 3}), ones({2, 3}), 3);
                                      },
                                      "tensordot: 3 axes of tensors of shapes (2, 3)"},
                                     {[] {
                                        tensordot(ones({2, 3}), ones({2, 3}), 1);
                                      },
                                      "have different sizes"},
                                     {[] {
                                        tensordot(ones({2, 3}), ones({2, 3}), {0}, {0, 1});
                                      },
                                      "which are not as many"},
                                     {[] {
                                        tensordot(ones({2, 2}), ones({2, 2}), {0, 0}, {0, 1});
                                      },
                                      "name an axis twice"}};
       }},
      {"bilinear", "matrix products", "a^T weight[k] b + bias[k]", true, bilinear_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        bilinear(ones({2, 3}), ones({2, 3}), ones({3, 3}));
                                      },
                                      "it must be (out, in1, in2)"},
                                     {[] {
                                        bilinear(ones({2, 3}), ones({2, 4}), ones({2, 3, 3}));
                                      },
                                      "they must be (..., 3) and (..., 3)"},
                                     {[] {
                                        bilinear(ones({2, 3}), ones({2, 3}), ones({2, 3, 3}), ones({3}));
                                      },
                                      "a bias of shape (3,) for weight (2, 3, 3)"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
