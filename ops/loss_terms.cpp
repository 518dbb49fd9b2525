#include "loss_terms.hpp"

#include <algorithm>
#include <string>

#include "reduce.hpp"

namespace xgrad::detail {

Tensor reduced(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::none ? losses : reduction == Reduction::sum ? sum(losses) : mean(losses);
}

void expect_equal_shapes(const char* op, const Tensor& input, const Tensor& target, const char* name) {
  const Shape &a = input.shape(), &b = target.shape();
  if (a == b) return;
  constexpr const char* unequal = "; they must be equal, for broadcasting would compare what does not belong together";
  const auto is_column_of = [](const Shape& column, const Shape& row) {
    return column.size() == row.size() + 1 && column.back() == 1 && std::equal(row.begin(), row.end(), column.begin());
  };
  check(!is_column_of(a, b), op, ": input has shape ", a, " and ", name, " ", b, unequal, "; write squeeze(input, ",
        b.size(), ") or unsqueeze(", name, ", ", b.size(), ")");
  check(!is_column_of(b, a), op, ": input has shape ", a, " and ", name, " ", b, unequal, "; write unsqueeze(input, ",
        a.size(), ") or squeeze(", name, ", ", a.size(), ")");
  std::string sizes = a.str();
  sizes.front() = '{', sizes.back() = '}';
  check(!broadcasts_to(b, a), op, ": input has shape ", a, " and ", name, " ", b, unequal,
        "; if that is meant, write expand(", name, ", ", sizes, ")");
  fail(op, ": input has shape ", a, " and ", name, " ", b, "; they must be equal");
}

}  // namespace xgrad::detail
