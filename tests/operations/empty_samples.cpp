#include "empty_samples.hpp"

#include <xgrad/xgrad.hpp>

namespace reference {

std::vector<xgrad::OpSample> empty_samples() {
  using namespace xgrad;
  using X = const std::vector<Tensor>&;
  using Inputs = std::vector<Tensor>;
  std::vector<OpSample> samples;
  const auto of = [&](const std::string& text, std::initializer_list<Inputs> all, auto f) {
    for (const Inputs& inputs : all) samples.push_back({text, inputs, [f](X x) { return Inputs{f(x)}; }});
  };
  const auto several = [&](const std::string& text, std::initializer_list<Inputs> all, Inputs (*f)(X)) {
    for (const Inputs& inputs : all) samples.push_back({text, inputs, f});
  };
  const auto real = [](const Shape& shape) { return detail::sample_normal(shape); };
  const auto constant = [](const Shape& shape) { return detail::sample_uniform(shape, 0, 1).detach(); };
  const auto places = [](const Shape& shape) { return zeros(shape, {.dtype = int64}); };
  const auto mask = [](const Shape& shape) { return ones(shape, {.dtype = bool_}); };

  // Systems of equations.
  of("torch.linalg.solve(x[0], x[1])",
     {{real({0, 2, 2}), real({0, 2})},
      {real({0, 2, 2}), real({2, 3})},
      {real({2, 2}), real({0, 2, 3})},
      {real({3, 0, 0}), real({3, 0, 2})},
      {real({3, 0, 2, 2}), real({3, 0, 2, 0})}},
     [](X x) { return linalg::solve(x[0], x[1]); });
  of("torch.linalg.solve_triangular(x[0], x[1], upper=True)",
     {{real({0, 2, 2}), real({0, 2, 3})}, {real({3, 0, 0}), real({3, 0, 2})}, {real({0, 1, 1}), real({1, 3})}},
     [](X x) { return linalg::solve_triangular(x[0], x[1], {.upper = true}); });
  of("torch.cholesky_solve(x[1], x[0])",
     {{real({3, 0, 0}), real({3, 0, 2})}, {real({0, 2, 2}), real({0, 2, 0})}, {real({2, 2}), real({2, 0})}},
     [](X x) { return linalg::cholesky_solve(x[0], x[1]); });
  of("torch.linalg.lu_solve(*torch.linalg.lu_factor(x[0]), x[1])",
     {{real({0, 2, 2}), real({0, 2, 3})}, {real({3, 0, 0}), real({3, 0, 2})}}, [](X x) {
       const auto [factors, pivots] = linalg::lu_factor(x[0]);
       return linalg::lu_solve(factors, pivots, x[1]);
     });
  several("[torch.linalg.lstsq(x[0], x[1], driver='gelsd')[i] for i in (0, 2, 3)]",
          {{constant({0, 2}), constant({0, 1})},
           {constant({3, 0}), constant({3, 2})},
           {constant({0, 3, 2}), constant({0, 3, 0})},
           {constant({2, 3, 0}), constant({2, 3, 1})}},
          [](X x) {
            const auto y = linalg::lstsq(x[0], x[1]);
            return Inputs{y.solution, y.rank, y.singular_values};
          });
  of("torch.linalg.householder_product(x[0], x[1])",
     {{real({3, 0}), real({0})}, {real({0, 0}), real({0})}, {real({2, 0, 0}), real({2, 0})}},
     [](X x) { return linalg::householder_product(x[0], x[1]); });

  // Factors of matrices of no rows or columns, in batches of nothing.
  several("torch.linalg.qr(x[0])", {{real({2, 3, 0})}, {real({0, 0, 3})}, {real({3, 0, 2, 2})}}, [](X x) {
    const auto [Q, R] = linalg::qr(x[0]);
    return Inputs{Q, R};
  });
  several("torch.linalg.svd(x[0], full_matrices=False)", {{real({2, 3, 0})}, {real({0, 0, 3})}, {real({3, 0, 2, 4})}},
          [](X x) {
            const auto [U, S, Vh] = linalg::svd(x[0], {.full_matrices = false});
            return Inputs{U, S, Vh};
          });
  several("torch.linalg.eigh(x[0] + x[0].mT)", {{real({3, 0, 2, 2})}, {real({0, 1, 1})}}, [](X x) {
    const auto [values, vectors] = linalg::eigh(x[0] + transpose(x[0], -1, -2));
    return Inputs{values, vectors};
  });
  of("torch.linalg.pinv(x[0])", {{real({2, 3, 0})}, {real({0, 0, 3})}, {real({3, 0, 2, 4})}},
     [](X x) { return linalg::pinv(x[0]); });
  of("torch.linalg.det(x[0])", {{real({3, 0, 2, 2})}, {real({0, 0, 0})}}, [](X x) { return linalg::det(x[0]); });
  of("torch.linalg.inv(x[0])", {{real({3, 0, 2, 2})}, {real({0, 0, 0})}}, [](X x) { return linalg::inv(x[0]); });
  of("torch.linalg.matrix_exp(x[0])", {{real({3, 0, 2, 2})}, {real({0, 0, 0})}},
     [](X x) { return linalg::matrix_exp(x[0]); });

  // Norms and products.
  of("torch.linalg.vector_norm(x[0], 1, dim=-1)", {{real({0, 3})}, {real({3, 0})}},
     [](X x) { return linalg::vector_norm(x[0], 1, -1); });
  of("torch.linalg.multi_dot(x)", {{real({0, 2}), real({2, 3}), real({3, 2})}, {real({2, 0}), real({0, 3}), real({3})}},
     [](X x) { return linalg::multi_dot(x); });
  of("torch.linalg.cross(x[0], x[1])", {{real({0, 3}), real({0, 3})}, {real({2, 0, 3}), real({2, 0, 3})}},
     [](X x) { return linalg::cross(x[0], x[1]); });
  of("torch.outer(x[0], x[1])", {{real({3}), real({0})}, {real({0}), real({0})}},
     [](X x) { return linalg::outer(x[0], x[1]); });
  of("torch.kron(x[0], x[1])", {{real({}), real({})}, {real({2, 0}), real({3, 2})}, {real({0}), real({})}},
     [](X x) { return linalg::kron(x[0], x[1]); });
  of("torch.trace(x[0])", {{real({3, 0})}, {real({0, 0})}}, [](X x) { return linalg::trace(x[0]); });
  of("torch.linalg.vander(x[0])", {{real({2, 0, 3})}}, [](X x) { return linalg::vander(x[0]); });
  of("torch.einsum('bij,bjk->bik', x[0], x[1])",
     {{real({0, 2, 3}), real({0, 3, 4})}, {real({2, 3, 0}), real({2, 0, 4})}, {real({2, 0, 3}), real({2, 3, 0})}},
     [](X x) { return einsum("bij,bjk->bik", x); });
  of("torch.einsum(',->', x[0], x[1])", {{real({}), real({})}}, [](X x) { return einsum(",->", x); });
  of("torch.einsum('...i->...', x[0])", {{real({0, 3})}, {real({3, 0})}, {real({0})}},
     [](X x) { return einsum("...i->...", x); });
  of("torch.einsum('ii', x[0])", {{real({0, 0})}}, [](X x) { return einsum("ii", x); });
  of("torch.tensordot(x[0], x[1], 1)", {{real({2, 0}), real({0, 3})}, {real({0}), real({0})}},
     [](X x) { return tensordot(x[0], x[1], 1); });
  of("torch.tensordot(x[0], x[1], 0)", {{real({}), real({0, 2})}, {real({}), real({})}},
     [](X x) { return tensordot(x[0], x[1], 0); });
  of("torch.cdist(x[0], x[1])", {{real({0, 2, 3}), real({0, 4, 3})}, {real({2, 0, 3}), real({2, 4, 3})}},
     [](X x) { return cdist(x[0], x[1]); });
  of("F.pairwise_distance(x[0], x[1])", {{real({3, 0}), real({3, 0})}, {real({3}), real({3})}},
     [](X x) { return pairwise_distance(x[0], x[1]); });
  of("F.cosine_similarity(x[0], x[1], dim=-1)", {{real({3, 0}), real({3, 0})}, {real({0, 2, 3}), real({0, 2, 3})}},
     [](X x) { return cosine_similarity(x[0], x[1], -1); });
  of("F.normalize(x[0], dim=-1)", {{real({2, 0})}, {real({0, 2, 3})}}, [](X x) { return normalize(x[0], -1); });

  // Indices.
  of("torch.gather(x[0], 0, x[1])", {{real({3, 0}), places({2, 0})}, {real({3}), places({0})}},
     [](X x) { return gather(x[0], 0, x[1]); });
  of("torch.scatter_add(x[0], 0, x[1], x[2])",
     {{real({3, 0}), places({2, 0}), real({2, 0})}, {real({3}), places({0}), real({0})}},
     [](X x) { return scatter_add(x[0], 0, x[1], x[2]); });
  of("torch.scatter(x[0], 0, x[1], x[2])",
     {{real({3, 0}), places({2, 0}), real({2, 0})}, {real({3}), places({0}), real({0})}},
     [](X x) { return scatter(x[0], 0, x[1], x[2]); });
  for (const auto& [text, how] : {std::pair{"sum", ScatterReduction::sum},
                                  {"mean", ScatterReduction::mean},
                                  {"prod", ScatterReduction::prod},
                                  {"amax", ScatterReduction::amax},
                                  {"amin", ScatterReduction::amin}})
    of(std::string("torch.scatter_reduce(x[0], 0, x[1], x[2], '") + text + "', include_self=False)",
       {{real({3, 0}), places({2, 0}), real({2, 0})}, {real({3}), places({0}), real({0})}},
       [how = how](X x) { return scatter_reduce(x[0], 0, x[1], x[2], how, {.include_self = false}); });
  of("torch.take_along_dim(x[0], x[1], 1)", {{real({2, 3}), places({2, 0})}, {real({0, 3}), places({1, 2})}},
     [](X x) { return take_along_axis(x[0], x[1], 1); });
  of("torch.index_select(x[0], 1, x[1])", {{real({0, 3}), places({2})}, {real({2, 3, 0}), places({2})}},
     [](X x) { return index_select(x[0], 1, x[1]); });
  of("x[0][x[1]]", {{real({3, 0}), places({2, 2})}, {real({3}), places({0, 2})}, {real({3}), places({})}},
     [](X x) { return index(x[0], {x[1]}); });
  of("x[0][:, x[1]]", {{real({0, 3}), places({2})}, {real({2, 0}), mask({0})}}, [](X x) {
    return index(x[0], {Slice(), x[1]});
  });
  of("x[0][x[1]]", {{real({}), mask({})}, {real({0, 3}), mask({0, 3})}}, [](X x) { return index(x[0], {x[1]}); });
  of("x[0][...]", {{real({})}, {real({0, 2})}}, [](X x) { return index(x[0], {ellipsis}); });
  of("x[0][None, ..., None]", {{real({})}, {real({0, 2})}}, [](X x) {
    return index(x[0], {newaxis, ellipsis, newaxis});
  });
  of("x[0].index_put((x[1],), x[2])",
     {{real({3, 0}), places({2}), real({})}, {real({3}), places({0}), real({0})}, {real({3}), places({}), real({})}},
     [](X x) { return index_put(x[0], {x[1]}, x[2]); });
  of("torch.masked_select(x[0], x[1])", {{real({}), mask({})}, {real({2, 0}), mask({})}, {real({}), mask({0})}},
     [](X x) { return masked_select(x[0], x[1]); });
  of("torch.masked_scatter(x[0], x[1], x[2])", {{real({}), mask({}), real({1})}, {real({2, 0}), mask({}), real({0})}},
     [](X x) { return masked_scatter(x[0], x[1], x[2]); });
  of("torch.roll(x[0], 1)", {{real({2, 0})}, {real({})}}, [](X x) { return roll(x[0], {1}); });
  of("torch.repeat_interleave(x[0], x[1], 0)", {{real({0, 2}), places({0})}, {real({2, 0}), places({2})}},
     [](X x) { return repeat_interleave(x[0], x[1], 0); });
  of("torch.tril(x[0])", {{real({2, 0, 3})}, {real({0, 3, 3})}}, [](X x) { return tril(x[0]); });

  // Order.
  several("torch.sort(x[0], -1)", {{real({0})}, {real({2, 0, 3})}, {real({})}}, [](X x) {
    const auto [values, indices] = sort(x[0], -1);
    return Inputs{values, indices};
  });
  several("torch.topk(x[0], 0)", {{real({3})}, {real({2, 0})}, {real({0, 3})}}, [](X x) {
    const auto [values, indices] = topk(x[0], 0);
    return Inputs{values, indices};
  });
  several("torch.kthvalue(x[0], 1, 0)", {{real({3, 0})}}, [](X x) {
    const auto [values, indices] = kthvalue(x[0], 1, 0);
    return Inputs{values, indices};
  });
  several("torch.median(x[0], 0)", {{real({3, 0})}, {real({})}}, [](X x) {
    const auto [values, indices] = median(x[0], 0);
    return Inputs{values, indices};
  });
  of("torch.median(x[0])", {{constant({0})}, {real({})}}, [](X x) { return median(x[0]); });
  of("torch.nanmedian(x[0])", {{constant({0})}, {real({})}}, [](X x) { return nanmedian(x[0]); });
  of("torch.quantile(x[0], torch.tensor([0.25, 0.5], dtype=torch.float64))", {{real({})}, {real({1})}}, [](X x) {
    return quantile(x[0], tensor({0.25, 0.5}, {.dtype = float64}));
  });
  several("torch.unique(x[0], return_inverse=True, return_counts=True)", {{constant({0})}, {constant({})}}, [](X x) {
    const auto [values, inverse, counts] = unique(x[0]);
    return Inputs{values, inverse, counts};
  });
  of("torch.searchsorted(x[0], x[1])", {{constant({0}), constant({})}, {constant({0, 3}), constant({0, 2})}},
     [](X x) { return searchsorted(x[0], x[1]); });
  of("torch.bincount(x[0], minlength=3)", {{places({0})}}, [](X x) { return bincount(x[0], 3); });
  of("torch.nonzero(x[0])", {{constant({0, 2})}, {constant({})}}, [](X x) { return nonzero(x[0]); });

  // Losses of nothing: their means are NaN, their sums 0. (PyTorch has memory as it was for those of multi_margin_loss
  // and multilabel_margin_loss.)
  const auto losses = [&](const std::string& name, std::initializer_list<Inputs> all, auto f) {
    for (const auto& [text, reduction] :
         {std::pair{"none", Reduction::none}, {"mean", Reduction::mean}, {"sum", Reduction::sum}})
      of("F." + name + ", reduction='" + text + "')", all, [f, reduction = reduction](X x) { return f(x, reduction); });
  };
  const auto numbers = {Inputs{constant({}).requires_grad_(), constant({})},
                        Inputs{constant({0}).requires_grad_(), constant({0})},
                        Inputs{constant({2, 0}).requires_grad_(), constant({2, 0})}};
  losses("mse_loss(x[0], x[1]", numbers, [](X x, Reduction how) { return mse_loss(x[0], x[1], how); });
  losses("l1_loss(x[0], x[1]", numbers, [](X x, Reduction how) { return l1_loss(x[0], x[1], how); });
  losses("binary_cross_entropy(x[0], x[1]", numbers,
         [](X x, Reduction how) { return binary_cross_entropy(x[0], x[1], {.reduction = how}); });
  losses("binary_cross_entropy_with_logits(x[0], x[1]", numbers,
         [](X x, Reduction how) { return binary_cross_entropy_with_logits(x[0], x[1], {.reduction = how}); });
  losses("huber_loss(x[0], x[1]", numbers,
         [](X x, Reduction how) { return huber_loss(x[0], x[1], {.reduction = how}); });
  losses("smooth_l1_loss(x[0], x[1]", numbers,
         [](X x, Reduction how) { return smooth_l1_loss(x[0], x[1], {.reduction = how}); });
  losses("kl_div(x[0], x[1]", numbers, [](X x, Reduction how) { return kl_div(x[0], x[1], {.reduction = how}); });
  losses("poisson_nll_loss(x[0], x[1]", numbers,
         [](X x, Reduction how) { return poisson_nll_loss(x[0], x[1], {.reduction = how}); });
  losses("gaussian_nll_loss(x[0], x[1], x[1]", numbers,
         [](X x, Reduction how) { return gaussian_nll_loss(x[0], x[1], x[1], {.reduction = how}); });
  losses("hinge_embedding_loss(x[0], 2 * x[1].round() - 1", numbers,
         [](X x, Reduction how) { return hinge_embedding_loss(x[0], 2 * round(x[1]) - 1, {.reduction = how}); });
  losses("soft_margin_loss(x[0], x[1]", numbers, [](X x, Reduction how) { return soft_margin_loss(x[0], x[1], how); });
  losses("margin_ranking_loss(x[0], x[1], x[1]", numbers,
         [](X x, Reduction how) { return margin_ranking_loss(x[0], x[1], x[1], {.reduction = how}); });
  const auto classes = {Inputs{real({0, 3}), places({0})}, Inputs{real({0, 3, 2}), places({0, 2})},
                        Inputs{real({2, 3, 0}), places({2, 0})}};
  losses("cross_entropy(x[0], x[1]", classes,
         [](X x, Reduction how) { return cross_entropy(x[0], x[1], {.reduction = how}); });
  losses("nll_loss(x[0], x[1]", classes, [](X x, Reduction how) { return nll_loss(x[0], x[1], {.reduction = how}); });
  losses("multilabel_soft_margin_loss(x[0], x[1]", {{real({0, 3}), constant({0, 3})}, {real({3}), constant({3})}},
         [](X x, Reduction how) { return multilabel_soft_margin_loss(x[0], x[1], {.reduction = how}); });
  losses("cosine_embedding_loss(x[0], x[1], x[2]",
         {{real({0, 3}), real({0, 3}), ones({0}, {.dtype = float64})},
          {real({3}), real({3}), ones({}, {.dtype = float64})}},
         [](X x, Reduction how) { return cosine_embedding_loss(x[0], x[1], x[2], {.reduction = how}); });
  losses("triplet_margin_loss(x[0], x[1], x[2]", {{real({0, 3}), real({0, 3}), real({0, 3})}},
         [](X x, Reduction how) { return triplet_margin_loss(x[0], x[1], x[2], {.reduction = how}); });

  // Batches of distributions: log_prob, mean, variance, and the shape of samples.
  const auto batch = [&](const std::string& made, const std::string& value, const Inputs& parameters, auto make,
                         const Tensor& at) {
    const std::string unchecked = made.substr(0, made.size() - 1) + ", validate_args=False)";  // else it fails
    samples.push_back({"[y for d in [torch.distributions." + unchecked + "] for y in [d.log_prob(" + value +
                           "), d.mean, d.variance, x[0].new_zeros(d._extended_shape((2,)))]]",
                       parameters, [make, at](X x) {
                         const auto d = make(x);
                         return Inputs{d.log_prob(at), d.mean(), d.variance(), zeros_like(d.sample({2}))};
                       }});
  };
  const std::string half = "torch.tensor(0.5, dtype=torch.float64)", one = "torch.tensor(1, dtype=torch.float64)";
  const Tensor at_half = full({}, 0.5, {.dtype = float64}), at_one = ones({}, {.dtype = float64});
  namespace D = distributions;
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 0}}) {
    const Inputs two{detail::sample_uniform(shape, 0.2, 0.4, 1), detail::sample_uniform(shape, 0.6, 0.8, 2)};
    batch(
        "Normal(*x)", half, two, [](X x) { return D::Normal(x[0], x[1]); }, at_half);
    batch(
        "LogNormal(*x)", half, two, [](X x) { return D::LogNormal(x[0], x[1]); }, at_half);
    batch(
        "Laplace(*x)", half, two, [](X x) { return D::Laplace(x[0], x[1]); }, at_half);
    batch(
        "Cauchy(*x)", half, two, [](X x) { return D::Cauchy(x[0], x[1]); }, at_half);
    batch(
        "StudentT(x[0] + 3, x[0], x[1])", half, two, [](X x) { return D::StudentT(x[0] + 3, x[0], x[1]); }, at_half);
    batch(
        "Uniform(*x)", half, two, [](X x) { return D::Uniform(x[0], x[1]); }, at_half);
    batch(
        "Gamma(*x)", half, two, [](X x) { return D::Gamma(x[0], x[1]); }, at_half);
    batch(
        "Beta(*x)", half, two, [](X x) { return D::Beta(x[0], x[1]); }, at_half);
    const Inputs single{two[0]};
    batch(
        "Exponential(x[0])", half, single, [](X x) { return D::Exponential(x[0]); }, at_half);
    batch(
        "Chi2(x[0])", half, single, [](X x) { return D::Chi2(x[0]); }, at_half);
    batch(
        "Bernoulli(x[0])", one, single, [](X x) { return D::Bernoulli({.probs = x[0]}); }, at_one);
    batch(
        "Geometric(x[0])", one, single, [](X x) { return D::Geometric({.probs = x[0]}); }, at_one);
    batch(
        "Poisson(x[0])", one, single, [](X x) { return D::Poisson(x[0]); }, at_one);
    batch(
        "Binomial(3, x[0])", one, single, [](X x) { return D::Binomial(3, {.probs = x[0]}); }, at_one);
    Shape vectors = shape;
    vectors.push_back(2);
    const Inputs weights{detail::sample_uniform(vectors, 0.5, 1)};
    batch(
        "Dirichlet(x[0])", "torch.tensor([0.25, 0.75], dtype=torch.float64)", weights,
        [](X x) { return D::Dirichlet(x[0]); }, tensor({0.25, 0.75}, {.dtype = float64}));
    batch(
        "Multinomial(3, x[0])", "torch.tensor([1, 2], dtype=torch.float64)", weights,
        [](X x) { return D::Multinomial(3, {.probs = x[0]}); }, tensor({1, 2}, {.dtype = float64}));
    batch(
        "MultivariateNormal(x[0], torch.eye(2, dtype=torch.float64))", "torch.zeros(2, dtype=torch.float64)", weights,
        [](X x) { return D::MultivariateNormal(x[0], {.covariance_matrix = eye(2, {.dtype = float64})}); },
        zeros({2}, {.dtype = float64}));
    of("torch.distributions.Categorical(x[0], validate_args=False).log_prob(torch.tensor(1))", {weights},
       [](X x) { return D::Categorical({.probs = x[0]}).log_prob(tensor(1)); });
  }
  return samples;
}

}  // namespace reference
