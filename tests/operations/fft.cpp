#include <xgrad/ops/fft/cosine.hpp>
#include <xgrad/ops/fft/frequencies.hpp>
#include <xgrad/ops/fft/transforms.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

using fft::DctOptions;
using fft::FftnOptions;
using fft::FftOptions;
using fft::Norm;

/// A transform in PyTorch; its input is complex, its result, or both. Of nothing PyTorch's fails: there it is that of
/// one more, which is taken away again.
std::string torch_call(const std::string& name, const std::string& arguments, bool complex_input, bool complex_result,
                       const Shape& shape) {
  const bool empty = shape.numel() == 0;
  std::string x = "x[0]";
  if (empty) {
    x = "F.pad(x[0], (";
    for (std::size_t i = 1; i < shape.size(); ++i) x += "0, 0, ";
    x += "0, 1))";
  }
  if (complex_input) x = "torch.view_as_complex(" + x + ".contiguous())";
  const std::string call = "torch.fft." + name + "(" + x + arguments + ")";
  return (complex_result ? "torch.view_as_real(" + call + ".resolve_conj())" : call) + (empty ? "[:0]" : "");
}

struct Kind {
  const char* name;
  bool complex_input, complex_result;
  Shape shape(Shape of) const {
    if (complex_input) of.push_back(2);
    return of;
  }
};

using Along = Tensor (*)(const Tensor&, const FftOptions&);
std::vector<OpSample> samples_along(const Kind& kind, Along f) {
  std::vector<OpSample> all;
  const auto add = [&](const Shape& shape, const std::string& arguments, const FftOptions& options) {
    all.push_back(sample(torch_call(kind.name, arguments, kind.complex_input, kind.complex_result, kind.shape(shape)),
                         {sample_normal(kind.shape(shape))}, [=](auto& x) { return f(x[0], options); }));
  };
  add({2, 6}, "", {});
  add({5}, ", norm='ortho'", {.norm = Norm::ortho});
  add({3, 2, 2}, ", dim=0, norm='forward'", {.axis = 0, .norm = Norm::forward});
  add({2, 4}, ", n=7", {.n = 7});
  add({4, 2}, ", n=3, dim=-2", {.n = 3, .axis = -2});
  add({2, 11}, ", n=11", {.n = 11});  // by a convolution
  add({2}, ", n=2", {.n = 2});
  add({3}, ", n=1", {.n = 1});
  add({0, 4}, "", {});
  return all;
}

using AlongSeveral = Tensor (*)(const Tensor&, const FftnOptions&);
std::vector<OpSample> samples_along_several(const Kind& kind, AlongSeveral f, bool two) {
  std::vector<OpSample> all;
  const auto add = [&](const Shape& shape, const std::string& arguments, const FftnOptions& options) {
    all.push_back(sample(torch_call(kind.name, arguments, kind.complex_input, kind.complex_result, kind.shape(shape)),
                         {sample_normal(kind.shape(shape))}, [=](auto& x) { return f(x[0], options); }));
  };
  add({2, 3, 4}, "", {});
  add({2, 3, 3}, ", dim=(2, 0), norm='ortho'", {.axes = {2, 0}, .norm = Norm::ortho});
  add({3, 4}, ", s=(2, 5), norm='forward'", {.n = {2, 5}, .norm = Norm::forward});
  if (two)
    add({0, 3, 4}, "", {});
  else
    add({0, 3, 4}, ", dim=(1, 2)", {.axes = {1, 2}});
  return all;
}

std::vector<OpError> errors_along(bool complex_input, const std::string& op, Along f) {
  std::vector<OpError> all = {{[=] {
                                 f(zeros({2, 2}, {.dtype = int64}), {});
                               },
                               op + ": expected a floating tensor, got dtype int64"},
                              {[=] {
                                 f(ones({3, 2}), {.axis = 3});
                               },
                               op + ": axis 3 is out of range"},
                              {[=] {
                                 f(ones({3, 2}), {.n = 0});
                               },
                               op + ": a transform of length 0"}};
  if (complex_input) all.push_back({[=] { f(ones({2, 3}), {}); }, op + ": shape (2, 3) has no last axis of two"});
  return all;
}

std::vector<OpError> errors_along_several(const std::string& op, AlongSeveral f) {
  return {{[=] {
             f(ones({3, 4, 2}), {.axes = {0, 0}});
           },
           op + ": axis 0 is named twice"},
          {[=] {
             f(ones({3, 4, 2}), {.n = {1, 2}, .axes = {0}});
           },
           op + ": lengths (1, 2) for axes (0,)"},
          {[=] {
             f(ones({3, 4, 2}), {.n = {0}, .axes = {0}});
           },
           op + ": a transform of length 0"}};
}

/// With {n} replaced.
std::string formula(std::string text, std::int64_t n) {
  for (std::size_t at; (at = text.find("{n}")) != std::string::npos;) text.replace(at, 3, std::to_string(n));
  return text;
}

std::vector<OpSample> dct_samples(Tensor (*f)(const Tensor&, const DctOptions&), bool inverse) {
  // The matrices of the definitions.
  const std::string j = "torch.arange({n}, dtype=torch.float64)";
  const std::string second = "2 * torch.cos(math.pi * " + j + " * (2 * " + j + "[:, None] + 1) / (2 * {n}))";
  const std::string weights = "torch.where(" + j + " > 0, 2., 1.).double()[:, None]";
  const std::string third = weights + " * torch.cos(math.pi * " + j + "[:, None] * (2 * " + j + " + 1) / (2 * {n}))";
  const std::string ortho = "(" + second + ") * torch.where(" + j + " > 0, 0.5, 0.25).double().sqrt() / math.sqrt({n})";
  const auto matrix = [&](const std::string& forward) {
    return inverse ? "torch.linalg.inv(" + forward + ")" : "(" + forward + ")";
  };
  const auto of = [&](const std::string& forward, const Shape& shape, const DctOptions& options) {
    return sample(formula("x[0] @ " + matrix(forward), shape.back()), {sample_normal(shape)},
                  [=](auto& x) { return f(x[0], options); });
  };
  return {of(second, {2, 5}, {}),
          of(second, {2, 6}, {}),
          of(second, {1}, {}),
          of(third, {2, 5}, {.type = 3}),
          of(third, {2, 4}, {.type = 3}),
          of(ortho, {2, 5}, {.norm = Norm::ortho}),
          sample(formula("(x[0].T @ " + matrix(second) + ").T", 3), {sample_normal({3, 2})},
                 [=](auto& x) { return f(x[0], {.axis = 0}); }),
          sample(formula("torch.nn.functional.pad(x[0], (0, 2)) @ " + matrix(second), 5), {sample_normal({2, 3})},
                 [=](auto& x) { return f(x[0], {.n = 5}); }),
          of(second, {0, 3}, {})};
}

std::vector<OpError> dct_errors(const std::string& op, Tensor (*f)(const Tensor&, const DctOptions&)) {
  return {{[=] { f(ones({3}), {.type = 4}); }, op + ": type 4; there are types 2 and 3"},
          {[=] {
             f(ones({2, 0}), {});
           },
           op + ": a transform of length 0"},
          {[=] { f(ones({3}), {.axis = 1}); }, op + ": axis 1 is out of range"},
          {[=] {
             f(tensor({1, 2}), {});
           },
           op + ": expected a floating tensor"}};
}

std::vector<OpSample> frequency_samples(const std::string& name,
                                        Tensor (*f)(std::int64_t, double, const TensorOptions&)) {
  const auto of = [&](std::int64_t n, double spacing) {  // an empty input says the dtype
    return sample(
        "torch.fft." + name + "(" + std::to_string(n) + ", " + std::to_string(spacing) + ", dtype=x[0].dtype)",
        {zeros({0}, {.dtype = float64})}, [=](auto& x) { return f(n, spacing, {.dtype = x[0].dtype()}); });
  };
  return {of(6, 1), of(5, 0.25), of(1, 2)};
}

template <bool back>
std::vector<OpSample> shift_samples() {
  const std::string name = back ? "torch.fft.ifftshift(x[0]" : "torch.fft.fftshift(x[0]";
  const auto f = [](const Tensor& x, const Axes& axes) {
    return back ? fft::ifftshift(x, axes) : fft::fftshift(x, axes);
  };
  return {sample(name + ")", {sample_normal({3, 4})}, [=](auto& x) { return f(x[0], {}); }),
          sample(name + ", dim=1)", {sample_normal({2, 5})}, [=](auto& x) { return f(x[0], 1); }),
          sample(name + ")", {sample_normal({0, 3})}, [=](auto& x) { return f(x[0], {}); })};
}

}  // namespace

#define XGRAD_ALONG(function) [](const Tensor& x, const FftOptions& options) { return fft::function(x, options); }
#define XGRAD_SEVERAL(function) [](const Tensor& x, const FftnOptions& options) { return fft::function(x, options); }
#define XGRAD_ROW(function, formula, complex_input, complex_result)                                \
  {                                                                                                \
    "fft::" #function, "Fourier transforms", formula, true,                                        \
        [] {                                                                                       \
          return samples_along({#function, complex_input, complex_result}, XGRAD_ALONG(function)); \
        },                                                                                         \
        [] { return errors_along(complex_input, #function, XGRAD_ALONG(function)); }               \
  }
#define XGRAD_SEVERAL_ROW(function, formula, complex_input, complex_result, two)                                  \
  {                                                                                                               \
    "fft::" #function, "Fourier transforms", formula, true,                                                       \
        [] {                                                                                                      \
          return samples_along_several({#function, complex_input, complex_result}, XGRAD_SEVERAL(function), two); \
        },                                                                                                        \
        [] { return errors_along_several(#function, XGRAD_SEVERAL(function)); }                                   \
  }

std::span<const OpInfo> fft_ops() {
  static const OpInfo ops[] = {
      XGRAD_ROW(fft, "y_k = sum_j x_j exp(-2 pi i jk / n)", true, true),
      XGRAD_ROW(ifft, "y_j = 1/n sum_k x_k exp(2 pi i jk / n)", true, true),
      XGRAD_ROW(rfft, "fft of real numbers, for k <= n / 2", false, true),
      XGRAD_ROW(irfft, "the inverse of rfft", true, false),
      XGRAD_ROW(hfft, "fft of conjugate-symmetric numbers, given by half", true, false),
      XGRAD_ROW(ihfft, "the inverse of hfft", false, true),
      XGRAD_SEVERAL_ROW(fftn, "fft along several axes", true, true, false),
      XGRAD_SEVERAL_ROW(ifftn, "ifft along several axes", true, true, false),
      XGRAD_SEVERAL_ROW(rfftn, "rfft along the last of several axes, fft along the others", false, true, false),
      XGRAD_SEVERAL_ROW(irfftn, "the inverse of rfftn", true, false, false),
      XGRAD_SEVERAL_ROW(hfftn, "hfft along the last of several axes, fft along the others", true, false, false),
      XGRAD_SEVERAL_ROW(ihfftn, "the inverse of hfftn", false, true, false),
      XGRAD_SEVERAL_ROW(fft2, "fftn along the last two axes", true, true, true),
      XGRAD_SEVERAL_ROW(ifft2, "ifftn along the last two axes", true, true, true),
      XGRAD_SEVERAL_ROW(rfft2, "rfftn along the last two axes", false, true, true),
      XGRAD_SEVERAL_ROW(irfft2, "irfftn along the last two axes", true, false, true),
      XGRAD_SEVERAL_ROW(hfft2, "hfftn along the last two axes", true, false, true),
      XGRAD_SEVERAL_ROW(ihfft2, "ihfftn along the last two axes", false, true, true),
      {"fft::dct", "Fourier transforms", "y_k = 2 sum_j x_j cos(pi k (2j + 1) / 2n), and type 3", true,
       [] { return dct_samples([](const Tensor& x, const DctOptions& o) { return fft::dct(x, o); }, false); },
       [] { return dct_errors("dct", [](const Tensor& x, const DctOptions& o) { return fft::dct(x, o); }); }},
      {"fft::idct", "Fourier transforms", "the inverse of dct", true,
       [] { return dct_samples([](const Tensor& x, const DctOptions& o) { return fft::idct(x, o); }, true); },
       [] { return dct_errors("idct", [](const Tensor& x, const DctOptions& o) { return fft::idct(x, o); }); }},
      {"fft::fftfreq", "Fourier transforms", "the frequencies of fft", false,
       [] { return frequency_samples("fftfreq", fft::fftfreq); },
       [] {
         return std::vector<OpError>{{[] { fft::fftfreq(0); }, "fftfreq: 0 frequencies"},
                                     {[] { fft::fftfreq(2, 0); }, "fftfreq: the spacing is 0"}};
       }},
      {"fft::rfftfreq", "Fourier transforms", "the frequencies of rfft", false,
       [] { return frequency_samples("rfftfreq", fft::rfftfreq); },
       [] {
         return std::vector<OpError>{{[] { fft::rfftfreq(0); }, "rfftfreq: 0 samples"}};
       }},
      {"fft::fftshift", "Fourier transforms", "frequency 0 in the middle", true, shift_samples<false>,
       [] {
         return std::vector<OpError>{{[] { fft::fftshift(ones({3}), 1); }, "fftshift: axis 1 is out of range"}};
       }},
      {"fft::ifftshift", "Fourier transforms", "the inverse of fftshift", true, shift_samples<true>,
       [] {
         return std::vector<OpError>{{[] { fft::ifftshift(ones({3}), 1); }, "ifftshift: axis 1 is out of range"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
