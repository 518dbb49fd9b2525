#include "embedding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <vector>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../autograd/row_gradients.hpp"
#include "../kernels/bags.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "gather.hpp"
#include "index.hpp"
#include "indexing.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

using detail::Bags;

/// Which rows of a table are used, and in which bags.
struct Entries {
  Saved rows;              // (n,)
  Saved bags;              // (n,), not decreasing; undefined where each entry is a bag of its own
  std::int64_t table = 0;  // rows of the table
  std::int64_t bag_count = 0;

  std::int64_t count() const { return rows.shape()[0]; }
};

template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

/// A tensor of this shape, zeros, made by run(bags, a, b, out) on elements as they are computed; b may be undefined.
template <class F>
Tensor computed(const char* name, const Entries& entries, const Shape& shape, std::int64_t width, const Tensor& a,
                const Tensor& b, const F& run) {
  const NoGrad no_grad;
  const detail::MaybeOwned wide_a = detail::widened(a), wide_b = detail::widened(b);
  const detail::MaybeOwned dense_a = detail::dense(*wide_a), dense_b = detail::dense(*wide_b);
  Tensor out = zeros(shape, {.dtype = dense_a->dtype()});
  const Tensor rows = entries.rows, bags = entries.bags.defined() ? entries.bags.get() : Tensor();
  if (out.numel() > 0 && rows.numel() > 0)
    dispatch_floating(name, out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      run(Bags{rows.data<std::int64_t>(), data_or_null<std::int64_t>(bags), rows.numel(), entries.bag_count, width},
          dense_a->data<T>(), data_or_null<T>(*dense_b), out.data<T>());
    });
  return detail::narrowed(std::move(out), a.dtype());
}

// The three parts of sum over entries i and columns c of grad[bag i, c] weight[row i, c] factors[i], which is linear in
// each: its derivative by grad, by weight, and by factors. Factors may be undefined, which is 1.

struct BagSum {
  static constexpr const char* name = "embedding_bag";
  Entries entries;
  std::optional<std::int64_t> padding = {};  // the row whose gradient is 0
  bool by_frequency = false;                 // the gradient of a row is divided by how many entries it has
  bool sparse = false;                       // a leaf gets the rows that are used alone
  Saved weight = {}, factors = {};

  Tensor forward(const Tensor& table, const Tensor& by) {
    factors = by;
    if (by.defined()) weight = table;
    const std::int64_t width = table.size(1);
    if (!by.defined() && !entries.bags.defined()) {
      const Tensor from = detail::dense(table), rows = entries.rows,
                   out = detail::empty({rows.numel(), width}, table.dtype());
      if (out.numel() > 0)
        detail::copy_rows({rows.data<std::int64_t>(), nullptr, rows.numel(), rows.numel(), width},
                          item_size(table.dtype()), from.impl().data, out.impl().data);
      return out;
    }
    return computed(name, entries, {entries.bag_count, width}, width, table, by,
                    [](const auto&... arguments) { detail::bag_sums(arguments...); });
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const;
};

struct BagRows {
  static constexpr const char* name = "embedding_bag_backward";
  Entries entries;
  Saved grad = {}, factors = {};

  Tensor forward(const Tensor& upstream, const Tensor& by) {
    factors = by;
    if (by.defined()) grad = upstream;
    return computed(name, entries, {entries.table, upstream.size(1)}, upstream.size(1), upstream, by,
                    [](const auto&... arguments) { detail::add_bags(arguments...); });
  }
  std::array<Tensor, 2> backward(const Tensor& of_rows, Needs needs) const;
};

struct BagFactors {
  static constexpr const char* name = "embedding_bag_weights_backward";
  Entries entries;
  Saved grad = {}, weight = {};

  Tensor forward(const Tensor& upstream, const Tensor& table) {
    grad = upstream, weight = table;
    return computed(name, entries, {entries.count()}, table.size(1), upstream, table,
                    [](const auto&... arguments) { detail::bag_dots(arguments...); });
  }
  std::array<Tensor, 2> backward(const Tensor& of_factors, Needs needs) const {
    return {needs[0] ? apply(BagSum{entries}, weight, of_factors) : Tensor(),
            needs[1] ? apply(BagRows{entries}, grad, of_factors) : Tensor()};
  }
};

std::array<Tensor, 2> BagRows::backward(const Tensor& of_rows, Needs needs) const {
  return {needs[0] ? apply(BagSum{entries}, of_rows, factors) : Tensor(),
          needs[1] ? apply(BagFactors{entries}, grad, of_rows) : Tensor()};
}

/// The rows that BagRows gives, without those that are not used.
SparseRows used_rows(const Entries& entries, const Tensor& upstream, const Tensor& by) {
  const NoGrad no_grad;
  const detail::MaybeOwned grad = detail::dense(upstream), factors = detail::dense(by);
  const Tensor rows = entries.rows, bags = entries.bags.defined() ? entries.bags.get() : Tensor();
  const Bags all{rows.data<std::int64_t>(), data_or_null<std::int64_t>(bags), rows.numel(), entries.bag_count,
                 upstream.size(1)};
  const detail::RowGroups groups = detail::group_by_row(all);
  SparseRows used{tensor(groups.rows),
                  detail::empty({static_cast<std::int64_t>(groups.rows.size()), all.width}, upstream.dtype())};
  dispatch_floating(BagRows::name, upstream.dtype(), [&](auto zero) {
    using T = decltype(zero);
    detail::sum_groups(all, groups, grad->data<T>(), data_or_null<T>(*factors), used.values.data<T>());
  });
  return used;
}

/// The entries `kept` of a vector, undefined where that is.
Tensor chosen(const Tensor& vector, const Tensor& kept) {
  return vector.defined() ? index_select(vector, 0, kept) : Tensor();
}

/// Which entries are not of this row.
Tensor others(const Tensor& rows, std::int64_t row) {
  std::vector<std::int64_t> kept;
  const std::int64_t* const at = rows.data<std::int64_t>();
  for (std::int64_t i = 0; i < rows.numel(); ++i)
    if (at[i] != row) kept.push_back(i);
  return tensor(kept);
}

/// 1 / how many entries the row of each has.
Tensor inverse_frequencies(const Tensor& rows, DType dtype) {
  std::unordered_map<std::int64_t, double> counts;
  const std::int64_t* const at = rows.data<std::int64_t>();
  for (std::int64_t i = 0; i < rows.numel(); ++i) ++counts[at[i]];
  Tensor out = detail::empty({rows.numel()}, float64);
  for (std::int64_t i = 0; i < rows.numel(); ++i) out.data<double>()[i] = 1 / counts[at[i]];
  return out.to(dtype);
}

std::array<Tensor, 2> BagSum::backward(const Tensor& grad, Needs needs) const {
  std::array<Tensor, 2> gradients;
  if (needs[1]) gradients[1] = apply(BagFactors{entries}, grad, weight);
  if (!needs[0]) return gradients;
  Entries used = entries;
  Tensor by = factors.defined() ? factors.get() : Tensor();
  if (padding) {
    const Tensor rows = entries.rows, kept = others(rows, *padding);
    used.rows = index_select(rows, 0, kept);
    used.bags = entries.bags.defined() ? index_select(entries.bags, 0, kept) : kept;
    by = chosen(by, kept);
  }
  if (by_frequency) {
    const Tensor less = inverse_frequencies(used.rows, grad.dtype());
    by = by.defined() ? by * less : less;
  }
  if (sparse && detail::takes_rows(0))
    detail::give_rows(0, used_rows(used, grad, by));
  else
    gradients[0] = apply(BagRows{used}, grad, by);
  return gradients;
}

void expect_table(const char* op, const Tensor& weight) {
  check(weight.dim() == 2, op, ": weight has shape ", weight.shape(), "; (rows, columns) is needed");
  check(is_floating(weight.dtype()), op, ": weight is ", weight.dtype(), "; convert it with .to(float32)");
}

void expect_sparse(const char* op, const Tensor& weight) {
  check(weight.dtype() == float32 || weight.dtype() == float64, op, ": weight is ", weight.dtype(),
        "; sparse is for float32 and float64");
  check(weight.is_contiguous(), op, ": with sparse, rows of weight are updated as they lie; it must be contiguous");
}

std::optional<std::int64_t> padding_row(const char* op, std::optional<std::int64_t> padding, const Tensor& weight) {
  if (!padding) return {};
  const std::int64_t rows = weight.size(0), row = *padding < 0 ? *padding + rows : *padding;
  check(row >= 0 && row < rows, op, ": padding_idx is ", *padding, ", and weight ", weight.shape(), " has ", rows,
        " rows");
  return row;
}

/// Scales the rows that are used, and whose norm is larger than `most`, to that norm.
void renormalise(const char* op, const Tensor& weight, const Tensor& rows, double most, double p) {
  check(most >= 0 && p > 0, op, ": max_norm ", most, " and norm_type ", p,
        "; the first is at least 0, the second positive");
  check(weight.is_contiguous(), op, ": with max_norm weight is changed in place; it must be contiguous");
  std::vector<std::int64_t> used = rows.to_vector<std::int64_t>();
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  const std::int64_t width = weight.size(1);
  bool changed = false;
  dispatch(weight.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (dtype_of<T>() >= DType::bfloat16) {  // a floating one, which expect_table has seen to
      T* const table = weight.data<T>();
      for (const std::int64_t row : used) {
        T* const numbers = table + row * width;
        double norm = 0;
        for (std::int64_t i = 0; i < width; ++i) {
          const double size = std::abs(static_cast<double>(element_cast<double>(numbers[i])));
          norm = std::isinf(p) ? std::max(norm, size) : norm + std::pow(size, p);
        }
        if (!std::isinf(p)) norm = std::pow(norm, 1 / p);
        if (!(norm > most)) continue;
        const double scale = most / (norm + 1e-7);
        for (std::int64_t i = 0; i < width; ++i) numbers[i] = element_cast<T>(element_cast<double>(numbers[i]) * scale);
        changed = true;
      }
    }
  });
  if (changed) weight.impl().storage->raise_version(op);
}

/// The bag of each of `count` entries, given where each bag begins.
Tensor bags_of(const Tensor& offsets, std::int64_t count, bool last_is_end) {
  constexpr const char* op = "embedding_bag";
  check(offsets.dim() == 1 && detail::kind_of(offsets.dtype()) == detail::Kind::integer, op, ": offsets has shape ",
        offsets.shape(), " and dtype ", offsets.dtype(), "; a vector of integers is needed");
  check(!last_is_end || offsets.numel() > 0, op, ": include_last_offset needs at least one offset");
  const std::vector<std::int64_t> begins = offsets.to_vector<std::int64_t>();
  const std::int64_t bags = static_cast<std::int64_t>(begins.size()) - (last_is_end ? 1 : 0);
  for (std::size_t i = 0; i < begins.size(); ++i) {
    check(i > 0 || begins[i] == 0, op, ": the first offset is ", begins[i], "; it must be 0");
    check(i == 0 || begins[i] >= begins[i - 1], op, ": offset ", i, " is ", begins[i], ", less than the one before");
    check(begins[i] <= count, op, ": offset ", i, " is ", begins[i], ", and there are ", count, " indices");
  }
  check(!last_is_end || begins.back() == count, op, ": the last offset is ", begins.empty() ? 0 : begins.back(),
        "; with include_last_offset it must be the number of indices, ", count);
  check(bags > 0 || count == 0, op, ": ", count, " indices in no bag");
  Tensor out = detail::empty({count}, int64);
  for (std::int64_t bag = 0; bag < bags; ++bag) {
    const auto next = static_cast<std::size_t>(bag) + 1;
    const std::int64_t end = next < begins.size() ? begins[next] : count;
    std::fill(out.data<std::int64_t>() + begins[next - 1], out.data<std::int64_t>() + end, bag);
  }
  return out;
}

/// How many entries each bag has.
std::vector<double> bag_sizes(const Tensor& bags, std::int64_t count) {
  std::vector<double> sizes(static_cast<std::size_t>(count));
  const std::int64_t* const at = bags.data<std::int64_t>();
  for (std::int64_t i = 0; i < bags.numel(); ++i) ++sizes[static_cast<std::size_t>(at[i])];
  return sizes;
}

/// The largest elements of each bag; 0 for an empty one.
Tensor largest(const Entries& entries, const Tensor& weight) {
  const Tensor rows = entries.rows, bags = entries.bags;
  if (rows.numel() == 0) return apply(BagSum{entries}, weight, Tensor());
  Tensor at = detail::empty({entries.bag_count, weight.size(1)}, int64);
  {
    const NoGrad no_grad;
    const detail::MaybeOwned wide = detail::widened(weight), table = detail::dense(*wide);
    dispatch_floating(BagSum::name, table->dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::bag_largest(
          Bags{rows.data<std::int64_t>(), bags.data<std::int64_t>(), rows.numel(), entries.bag_count, weight.size(1)},
          table->data<T>(), at.data<std::int64_t>());
    });
  }
  const std::vector<double> sizes = bag_sizes(bags, entries.bag_count);
  Tensor empty_bags = detail::empty({entries.bag_count, 1}, bool_);
  std::transform(sizes.begin(), sizes.end(), empty_bags.data<bool>(), [](double size) { return size == 0; });
  return masked_fill(gather(weight, 0, at), empty_bags, 0);
}

/// The indices as a vector of their own, which nobody can change.
Tensor own_rows(const char* op, const Tensor& input, const Tensor& weight) {
  return reshape(detail::checked_index(op, input, weight.shape(), 0).clone(), {-1});
}

}  // namespace

Tensor embedding(const Tensor& input, Operand weight, const EmbeddingOptions& options) {
  constexpr const char* op = "embedding";
  return detail::with_memory_for(op, [&] {
    expect_table(op, *weight);
    if (options.sparse) expect_sparse(op, *weight);
    const std::optional<std::int64_t> padding = padding_row(op, options.padding_idx, *weight);
    const Tensor rows = own_rows(op, input, *weight);
    if (options.max_norm) renormalise(op, *weight, rows, *options.max_norm, options.norm_type);
    Shape shape = input.shape();
    shape.push_back(weight->size(1));
    const Entries entries{rows, {}, weight->size(0), rows.numel()};
    return reshape(apply(BagSum{entries, padding, options.scale_grad_by_freq, options.sparse}, *weight, Tensor()),
                   shape);
  });
}

Tensor embedding_bag(const Tensor& input, Operand weight, const Tensor& offsets, const EmbeddingBagOptions& options) {
  constexpr const char* op = BagSum::name;
  return detail::with_memory_for(op, [&] {
    expect_table(op, *weight);
    check(input.dim() == 1 || input.dim() == 2, op, ": input has shape ", input.shape(),
          "; (indices,) with offsets or (bags, indices) is needed");
    check((input.dim() == 1) == offsets.defined(), op, ": input has shape ", input.shape(),
          input.dim() == 1 ? "; it needs offsets" : "; its rows are the bags, leave offsets out");
    const Tensor& samples = options.per_sample_weights;
    check(!samples.defined() || options.mode == BagMode::sum, op, ": per_sample_weights are for mode sum");
    check(!samples.defined() || (samples.shape() == input.shape() && samples.dtype() == weight->dtype()), op,
          ": per_sample_weights have shape ", samples.defined() ? samples.shape() : Shape(), " and dtype ",
          samples.defined() ? samples.dtype() : float32, "; the shape of the input, ", input.shape(), ", and ",
          weight->dtype(), " are needed");
    check(!options.scale_grad_by_freq || options.mode != BagMode::max, op, ": scale_grad_by_freq is not for mode max");
    check(!options.sparse || options.mode != BagMode::max, op, ": sparse is not for mode max");
    if (options.sparse) expect_sparse(op, *weight);
    const std::optional<std::int64_t> padding = padding_row(op, options.padding_idx, *weight);
    Tensor rows = own_rows(op, input, *weight), by = samples.defined() ? reshape(samples, {-1}) : Tensor();
    const std::int64_t count =
        input.dim() == 2 ? input.size(0) : offsets.numel() - (options.include_last_offset ? 1 : 0);
    Tensor bags;
    if (input.dim() == 1) {
      bags = bags_of(offsets, rows.numel(), options.include_last_offset);
    } else {
      bags = detail::empty({rows.numel()}, int64);
      for (std::int64_t i = 0; i < rows.numel(); ++i) bags.data<std::int64_t>()[i] = i / input.size(1);
    }
    if (options.max_norm) renormalise(op, *weight, rows, *options.max_norm, options.norm_type);
    if (padding) {
      const Tensor kept = others(rows, *padding);
      rows = index_select(rows, 0, kept), bags = index_select(bags, 0, kept), by = chosen(by, kept);
    }
    const Entries entries{rows, bags, weight->size(0), count};
    if (options.mode == BagMode::max) return largest(entries, *weight);
    if (options.mode == BagMode::mean) {
      const std::vector<double> sizes = bag_sizes(bags, count);
      Tensor shares = detail::empty(rows.shape(), float64);
      for (std::int64_t i = 0; i < rows.numel(); ++i)
        shares.data<double>()[i] = 1 / sizes[static_cast<std::size_t>(bags.data<std::int64_t>()[i])];
      by = shares.to(weight->dtype());
    }
    return apply(BagSum{entries, {}, options.scale_grad_by_freq, options.sparse}, *weight, by);
  });
}

Tensor one_hot(const Tensor& input, std::optional<std::int64_t> num_classes, detail::CallSite site) {
  constexpr const char* op = "one_hot";
  const detail::CallSiteScope scope(site);
  check(detail::kind_of(input.dtype()) == detail::Kind::integer, op, ": indices of dtype ", input.dtype(),
        "; convert them with .to(int64)");
  return detail::with_memory_for(op, [&] {
    const std::vector<std::int64_t> at = input.to_vector<std::int64_t>();
    check(num_classes || !at.empty(), op, ": of no indices; give num_classes");
    std::int64_t classes = 0;
    if (num_classes) {
      check(*num_classes > 0, op, ": num_classes is ", *num_classes, "; it must be positive");
      classes = *num_classes;
    } else {
      const std::int64_t most = *std::max_element(at.begin(), at.end());
      check(most < std::numeric_limits<std::int64_t>::max(), op, ": index ", most, " is too large");
      classes = std::max<std::int64_t>(most, 0) + 1;
    }
    for (std::size_t i = 0; i < at.size(); ++i)
      check(at[i] >= 0 && at[i] < classes, op, ": index ", at[i], " is out of range for ", classes, " classes");
    Shape shape = input.shape();
    shape.push_back(classes);
    Tensor out = zeros(shape, {.dtype = int64});
    for (std::size_t i = 0; i < at.size(); ++i)
      out.data<std::int64_t>()[static_cast<std::int64_t>(i) * classes + at[i]] = 1;
    return out;
  });
}

}  // namespace xgrad
