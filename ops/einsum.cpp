#include "einsum.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>
#include <string>

#include "../autograd/apply.hpp"
#include "arithmetic.hpp"
#include "diagonal.hpp"
#include "matmul.hpp"
#include "reduce.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

/// The axes of a tensor by name: a letter as written, or below 0 an axis of `...`, -1 being the last of these.
using Labels = std::vector<int>;

bool contains(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}
Labels without(const Labels& labels, const Labels& excluded) {
  Labels rest;
  for (const int label : labels)
    if (!contains(excluded, label)) rest.push_back(label);
  return rest;
}
Labels shared(const Labels& a, const Labels& b) { return without(a, without(a, b)); }
Labels joined(std::initializer_list<Labels> parts) {
  Labels all;
  for (const Labels& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// A tensor whose axes have different names.
struct Term {
  Tensor tensor;
  Labels labels;
};

class Sizes {
 public:
  /// Notes that an axis has this size; 1 broadcasts.
  void add(int label, std::int64_t size) {
    std::int64_t& known = at(label);
    check(known == size || known == 1 || size == 1, "einsum: ", name(label), " has the sizes ", known, " and ", size);
    if (known == 1) known = size;
  }
  std::int64_t operator[](int label) const { return const_cast<Sizes&>(*this).at(label); }
  std::int64_t product(const Labels& labels) const { return shape(labels).numel(); }
  double multiplications(const Labels& labels) const {
    double result = 1;
    for (const int label : labels) result *= static_cast<double>((*this)[label]);
    return result;
  }
  Shape shape(const Labels& labels) const {
    Shape sizes;
    for (const int label : labels) sizes.push_back((*this)[label]);
    return sizes;
  }

 private:
  static std::string name(int label) {
    return label < 0 ? "axis " + std::to_string(label) + " of ..." : std::string("axis ") + static_cast<char>(label);
  }
  std::int64_t& at(int label) {
    for (auto& [known, size] : sizes_)
      if (known == label) return size;
    return sizes_.emplace_back(label, 1).second;
  }
  std::vector<std::pair<int, std::int64_t>> sizes_;
};

/// The letters of one part of an equation, "..." being a '.'.
std::string letters_of(std::string_view equation, std::string_view part) {
  std::string letters;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (c == ' ') continue;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (part.substr(i, 3) == "...") {
      check(letters.find('.') == std::string::npos, "einsum: \"", equation, "\" has two ... for one tensor");
      i += 2;
    } else {
      check(letter, "einsum: \"", equation, "\" has a '", std::string_view(&c, 1),
            "'; there may be letters, commas, spaces, ... and one ->");
    }
    letters += c;
  }
  return letters;
}

struct Equation {
  std::vector<std::string> inputs = {};
  std::optional<std::string> output = {};

  explicit Equation(std::string_view text) {
    std::string_view left = text;
    if (const std::size_t arrow = text.find("->"); arrow != std::string_view::npos) {
      output = letters_of(text, text.substr(arrow + 2));
      left = text.substr(0, arrow);
    }
    for (std::size_t begin = 0;;) {
      const std::size_t comma = left.find(',', begin);
      inputs.push_back(letters_of(text, left.substr(begin, comma - begin)));
      if (comma == std::string_view::npos) break;
      begin = comma + 1;
    }
  }
};

/// The names of `axes` axes, of which '.' stands for as many as are left.
Labels labels_of(std::string_view letters, std::size_t ellipsis) {
  Labels labels;
  for (const char letter : letters) {
    if (letter != '.')
      labels.push_back(letter);
    else
      for (std::size_t i = ellipsis; i > 0; --i) labels.push_back(-static_cast<int>(i));
  }
  return labels;
}

Term sum_out(const Term& term, const Labels& unwanted) {
  if (unwanted.empty()) return term;
  Shape axes;
  for (std::size_t axis = 0; axis < term.labels.size(); ++axis)
    if (contains(unwanted, term.labels[axis])) axes.push_back(static_cast<std::int64_t>(axis));
  return {sum(term.tensor, axes, {.dtype = term.tensor.dtype()}), without(term.labels, unwanted)};
}

/// The axes in this order; every one is named.
Tensor in_order(const Term& term, const Labels& labels) {
  if (term.labels == labels) return term.tensor;
  Shape axes;
  for (const int label : labels)
    axes.push_back(std::find(term.labels.begin(), term.labels.end(), label) - term.labels.begin());
  return permute(term.tensor, axes);
}

/// Takes diagonals of axes of one name, and takes axes of size 1 away where they broadcast.
Term normalized(Term term, const Sizes& sizes) {
  for (std::size_t j = 1; j < term.labels.size();) {
    const std::size_t i = static_cast<std::size_t>(std::find(term.labels.begin(), term.labels.end(), term.labels[j]) -
                                                   term.labels.begin());
    if (i == j) {
      ++j;
      continue;
    }
    const int label = term.labels[j];
    term.tensor = diagonal(term.tensor, 0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
    term.labels.erase(term.labels.begin() + static_cast<std::ptrdiff_t>(j));
    term.labels.erase(term.labels.begin() + static_cast<std::ptrdiff_t>(i));
    term.labels.push_back(label);
    j = 1;
  }
  Shape broadcast;
  Labels kept;
  for (std::size_t axis = 0; axis < term.labels.size(); ++axis) {
    if (term.tensor.shape()[axis] == sizes[term.labels[axis]])
      kept.push_back(term.labels[axis]);
    else
      broadcast.push_back(static_cast<std::int64_t>(axis));
  }
  if (broadcast.empty()) return term;
  return {squeeze(term.tensor, Axes(broadcast)), kept};
}

/// The name of the axis along which elements are neighbours in memory; 0, which is no name, where there is none.
int innermost(const Term& term) {
  for (std::size_t axis = 0; axis < term.labels.size(); ++axis)
    if (term.tensor.strides()[axis] == 1 && term.tensor.shape()[axis] > 1) return term.labels[axis];
  return 0;
}

/// The product of two terms, summed over all axes that are not wanted.
Term contract(Term a, Term b, const Labels& wanted, const Sizes& sizes) {
  a = sum_out(a, without(without(a.labels, b.labels), wanted));
  b = sum_out(b, without(without(b.labels, a.labels), wanted));
  const Labels both = shared(a.labels, b.labels), batch = shared(both, wanted), summed = without(both, wanted);
  // Of the product and its transpose the one whose factors lie as a product reads them.
  if (!contains(summed, innermost(a)) && contains(summed, innermost(b))) std::swap(a, b);
  const Labels rows = without(a.labels, both), columns = without(b.labels, both);
  const Labels result = joined({batch, rows, columns});
  const auto merged = [&](const Labels& first, const Labels& second) {
    Shape shape = sizes.shape(batch);
    shape.push_back(sizes.product(first));
    shape.push_back(sizes.product(second));
    return shape;
  };
  const Tensor left = reshape(in_order(a, joined({batch, rows, summed})), merged(rows, summed));
  const Tensor right = reshape(in_order(b, joined({batch, summed, columns})), merged(summed, columns));
  const Tensor product = summed.empty() ? left * right : matmul(left, right);
  return {reshape(product, sizes.shape(result)), result};
}

/// What is wanted of the product of some terms: the axes of the result, and those of other terms.
Labels wanted_of(const std::vector<Labels>& terms, std::uint64_t chosen, const Labels& output) {
  Labels all = output;
  for (std::size_t i = 0; i < terms.size(); ++i)
    if ((chosen >> i & 1) == 0) all.insert(all.end(), terms[i].begin(), terms[i].end());
  return all;
}

/// The product of all terms in the cheapest order: for each set of terms, the way to cut it in two that takes the
/// fewest multiplications.
class CheapestOrder {
 public:
  CheapestOrder(const std::vector<Term>& terms, const Labels& output, const Sizes& sizes)
      : terms_(terms), output_(output), sizes_(sizes), plans_(std::size_t{1} << terms.size()) {
    for (const Term& term : terms) labels_.push_back(term.labels);
    for (std::uint64_t set = 1; set < plans_.size(); ++set) plans_[set] = plan(set);
  }
  Term product() const { return product(plans_.size() - 1); }

 private:
  struct Plan {
    double cost = 0;
    std::uint64_t part = 0;  // the terms on the left of the product; none for one term
    Labels labels = {};      // of the product
  };

  Plan plan(std::uint64_t set) const {
    if ((set & (set - 1)) == 0) return {0, 0, labels_[static_cast<std::size_t>(__builtin_ctzll(set))]};
    Plan best{std::numeric_limits<double>::infinity()};
    const Labels wanted = wanted_of(labels_, set, output_);
    for (std::uint64_t part = (set - 1) & set; part > set - part; part = (part - 1) & set) {
      const Plan &left = plans_[part], &right = plans_[set - part];
      const Labels all = joined({left.labels, without(right.labels, left.labels)});
      const double cost = left.cost + right.cost + sizes_.multiplications(all);
      if (cost < best.cost) best = {cost, part, shared(all, wanted)};
    }
    return best;
  }
  Term product(std::uint64_t set) const {
    const Plan& plan = plans_[set];
    if (plan.part == 0) return terms_[static_cast<std::size_t>(__builtin_ctzll(set))];
    return contract(product(plan.part), product(set - plan.part), wanted_of(labels_, set, output_), sizes_);
  }

  const std::vector<Term>& terms_;
  const Labels& output_;
  const Sizes& sizes_;
  std::vector<Labels> labels_;
  std::vector<Plan> plans_;
};

/// The product of all terms, always of the two that are cheapest to multiply next.
Term product_of_many(std::vector<Term> terms, const Labels& output, const Sizes& sizes) {
  while (terms.size() > 1) {
    std::size_t best_i = 0, best_j = 1;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < terms.size(); ++i)
      for (std::size_t j = i + 1; j < terms.size(); ++j) {
        const double cost = sizes.multiplications(joined({terms[i].labels, without(terms[j].labels, terms[i].labels)}));
        if (cost < least) least = cost, best_i = i, best_j = j;
      }
    const Term first = terms[best_i], second = terms[best_j];
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(best_j));
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(best_i));
    Labels wanted = output;
    for (const Term& other : terms) wanted.insert(wanted.end(), other.labels.begin(), other.labels.end());
    terms.push_back(contract(first, second, wanted, sizes));
  }
  return terms[0];
}

/// The axes of the result where the equation does not name them.
std::string implicit_output(const std::vector<std::string>& inputs) {
  std::string all, once;
  for (const std::string& input : inputs) all += input;
  for (const char letter : all)
    if (letter != '.' && std::count(all.begin(), all.end(), letter) == 1) once += letter;
  std::sort(once.begin(), once.end());
  return (all.find('.') == std::string::npos ? "" : ".") + once;
}

Tensor einsum_of(std::string_view text, const std::vector<Tensor>& operands) {
  const Equation equation(text);
  check(equation.inputs.size() == operands.size(), "einsum: \"", text, "\" has ", equation.inputs.size(), " operands, ",
        operands.size(), " were given");
  DType dtype = bool_;
  std::size_t ellipsis = 0;  // axes
  std::vector<Term> terms;
  Sizes sizes;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const std::string& letters = equation.inputs[i];
    const bool open = letters.find('.') != std::string::npos;
    const std::size_t named = letters.size() - open, rank = operands[i].dim();
    check(open ? rank >= named : rank == named, "einsum: \"", text, "\" names ", named, " axes of operand ", i,
          ", which has shape ", operands[i].shape());
    dtype = promote(dtype, operands[i].dtype());
    ellipsis = std::max(ellipsis, open ? rank - named : 0);
    const Labels labels = labels_of(letters, rank - named);
    for (std::size_t axis = 0; axis < rank; ++axis) sizes.add(labels[axis], operands[i].shape()[axis]);
    for (std::size_t axis = 0; axis < rank; ++axis)
      check(std::count(labels.begin(), labels.end(), labels[axis]) == 1 ||
                operands[i].shape()[axis] == sizes[labels[axis]],
            "einsum: \"", text, "\" takes a diagonal of operand ", i, ", of shape ", operands[i].shape(),
            ", whose sizes differ");
    terms.push_back({operands[i], labels});
  }
  const std::string result = equation.output ? *equation.output : implicit_output(equation.inputs);
  const Labels output = labels_of(result, ellipsis);
  for (const int label : output) {
    check(std::count(output.begin(), output.end(), label) == 1, "einsum: \"", text,
          "\" names an axis of the result twice");
    check(label < 0 ||
              std::any_of(terms.begin(), terms.end(), [=](const Term& term) { return contains(term.labels, label); }),
          "einsum: \"", text, "\" names an axis of the result that no operand has");
  }
  std::vector<Labels> labels;
  for (Term& term : terms) {
    term = normalized({term.tensor.to(dtype), term.labels}, sizes);
    labels.push_back(term.labels);
  }
  for (std::size_t i = 0; i < terms.size(); ++i)
    terms[i] = sum_out(terms[i], without(terms[i].labels, wanted_of(labels, std::uint64_t{1} << i, output)));
  const Term product = terms.size() <= 8 ? CheapestOrder(terms, output, sizes).product()
                                         : product_of_many(std::move(terms), output, sizes);
  return in_order(product, output);
}

}  // namespace

Tensor einsum(std::string_view text, const std::vector<Tensor>& operands, detail::CallSite site) {
  const detail::CallSiteScope scope(site);
  return detail::with_memory_for("einsum", [&] { return einsum_of(text, operands); });
}

Tensor tensordot(Operand a, Operand b, std::int64_t n) {
  const auto rank = [](const Tensor& x) { return static_cast<std::int64_t>(x.dim()); };
  check(n >= 0 && n <= rank(*a) && n <= rank(*b), "tensordot: ", n, " axes of tensors of shapes ", a->shape(), " and ",
        b->shape());
  Shape last, first;
  for (std::int64_t i = 0; i < n; ++i) last.push_back(rank(*a) - n + i), first.push_back(i);
  return tensordot(*a, *b, last, first);
}

Tensor tensordot(Operand a, Operand b, const Shape& a_axes, const Shape& b_axes) {
  constexpr const char* op = "tensordot";
  check(a_axes.size() == b_axes.size(), op, ": axes ", a_axes, " and ", b_axes, ", which are not as many");
  return detail::with_memory_for(op, [&] {
    Labels of_a, of_b;
    for (std::size_t axis = 0; axis < a->dim(); ++axis) of_a.push_back(static_cast<int>(axis));
    for (std::size_t axis = 0; axis < b->dim(); ++axis) of_b.push_back(static_cast<int>(a->dim() + axis));
    for (std::size_t i = 0; i < a_axes.size(); ++i) {
      const std::size_t at_a = normalize_axis(op, a_axes[i], a->dim()), at_b = normalize_axis(op, b_axes[i], b->dim());
      check(a->shape()[at_a] == b->shape()[at_b], op, ": axis ", a_axes[i], " of ", a->shape(), " and axis ", b_axes[i],
            " of ", b->shape(), " have different sizes");
      check(of_b[at_b] >= static_cast<int>(a->dim()) && !contains(of_b, of_a[at_a]), op, ": axes ", a_axes, " and ",
            b_axes, " name an axis twice");
      of_b[at_b] = of_a[at_a];
    }
    Sizes sizes;
    for (std::size_t axis = 0; axis < a->dim(); ++axis) sizes.add(of_a[axis], a->shape()[axis]);
    for (std::size_t axis = 0; axis < b->dim(); ++axis) sizes.add(of_b[axis], b->shape()[axis]);
    const DType dtype = promote(a->dtype(), b->dtype());
    const Labels output = joined({without(of_a, of_b), without(of_b, of_a)});
    return in_order(contract({a->to(dtype), of_a}, {b->to(dtype), of_b}, output, sizes), output);
  });
}

}  // namespace xgrad
