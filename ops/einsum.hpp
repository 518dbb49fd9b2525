#pragma once
// Sums of products over named axes.

#include <string_view>
#include <vector>

#include "../autograd/operand.hpp"

namespace xgrad {

/// Einstein's sum, as in NumPy: letters name the axes of each operand, separated by commas, and after `->` those of the
/// result; all others are summed over.
///
///     einsum("ik,kj->ij", {a, b})          // the matrix product
///     einsum("bqhd,bkhd->bhqk", {q, k})    // scores of attention
///     einsum("ii->i", {a})                 // a diagonal
///     einsum("...ij->...ji", {a})          // transposes
///
/// Without `->` the result has the axes of `...` and then the letters that occur once, in alphabetical order, capitals
/// first. `...` stands for any number of axes, which broadcast; where the result does not name it, it is summed over. A
/// letter that occurs twice in one operand takes the diagonal. Spaces mean nothing. A size of 1 broadcasts.
///
/// Operands are multiplied two at a time, in the order that takes the fewest multiplications (of up to 8 operands; of
/// more always the two whose product is cheapest first), each by one batched matmul. Dtypes promote. Throws Error for a
/// text that is no such equation, with the place; for sizes of one letter that differ, and operands of other numbers of
/// axes.
Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands,
              detail::CallSite site = detail::CallSite::here());

/// The sum of products over the last n axes of a and the first n axes of b. Throws Error where their sizes differ.
Tensor tensordot(Operand a, Operand b, std::int64_t n = 2);
/// The same over axes of a and as many of b, the first with the first and so on.
Tensor tensordot(Operand a, Operand b, const Shape& a_axes, const Shape& b_axes);

}  // namespace xgrad
