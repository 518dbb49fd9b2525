#include <xgrad/xgrad.hpp>

#include <limits>
#include <sstream>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

std::string text(const Tensor& tensor) {
  std::ostringstream out;
  out << tensor;
  return out.str();
}

struct Printed {
  Tensor (*make)(const TensorOptions& options);
  const char *as_float32, *as_float64;  // what numpy.array_str gives
};

const Printed floats[] = {
    {[](const TensorOptions& options) -> Tensor {
       return tensor({0.25, 0.5}, options);
     },
     R"([0.25 0.5 ])", R"([0.25 0.5 ])"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({16777.217, 1.0}, options);
     },
     R"([1.6777217e+04 1.0000000e+00])", R"([1.6777217e+04 1.0000000e+00])"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({1.0 / 3, -2.0 / 3}, options);
     },
     R"([ 0.33333334 -0.6666667 ])", R"([ 0.33333333 -0.66666667])"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({1e-5, 1.0}, options);
     },
     R"([1.e-05 1.e+00])", R"([1.e-05 1.e+00])"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({1e9, 1.5}, options);
     },
     R"([1.0e+09 1.5e+00])", R"([1.0e+09 1.5e+00])"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({123.456789012345, 0.1}, options);
     },
     R"([1.2345679e+02 1.0000000e-01])", R"([1.23456789e+02 1.00000000e-01])"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({nan, 1.0, -inf}, options);
     },
     R"([ nan   1. -inf])", R"([ nan   1. -inf])"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({{1.5, -22.25}, {0.0, 3.0}}, options);
     },
     R"([[  1.5  -22.25]
 [  0.     3.  ]])",
     R"([[  1.5  -22.25]
 [  0.     3.  ]])"},
    {[](const TensorOptions& options) -> Tensor { return arange(0, 1001, 1, options); },
     R"([   0.    1.    2. ...  998.  999. 1000.])", R"([   0.    1.    2. ...  998.  999. 1000.])"},
    {[](const TensorOptions& options) -> Tensor { return arange(0, 15, 1, options) * 0.1; },
     R"([0.         0.1        0.2        0.3        0.4        0.5
 0.6        0.7        0.8        0.90000004 1.         1.1
 1.2        1.3000001  1.4       ])",
     R"([0.  0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1.  1.1 1.2 1.3 1.4])"},
    {[](const TensorOptions& options) -> Tensor {
       return zeros({2, 0}, options);
     },
     R"([])", R"([])"},
    {[](const TensorOptions& options) -> Tensor {
       return zeros({2, 2, 2}, options);
     },
     R"([[[0. 0.]
  [0. 0.]]

 [[0. 0.]
  [0. 0.]]])",
     R"([[[0. 0.]
  [0. 0.]]

 [[0. 0.]
  [0. 0.]]])"},
    {[](const TensorOptions& options) -> Tensor {
       return ones({7, 500}, options) / 8;
     },
     R"([[0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 ...
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]])",
     R"([[0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 ...
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]
 [0.125 0.125 0.125 ... 0.125 0.125 0.125]])"},
    {[](const TensorOptions& options) -> Tensor { return tensor(3.0, options); }, R"(3.0)", R"(3.0)"},
    {[](const TensorOptions& options) -> Tensor { return tensor(-1e-7, options); }, R"(-1e-07)", R"(-1e-07)"},
    {[](const TensorOptions& options) -> Tensor {
       return tensor({0.1, 1000.0}, options);
     },
     R"([1.e-01 1.e+03])", R"([1.e-01 1.e+03])"},
};

}  // namespace

TEST_CASE("print: floating tensors look as in NumPy") {
  for (const Printed& printed : floats) {
    CHECK(text(printed.make({.dtype = float32})) == printed.as_float32);
    CHECK(text(printed.make({.dtype = float64})) == printed.as_float64);
  }
}

TEST_CASE("print: integers, bool, single numbers, views and undefined tensors") {
  CHECK(text(tensor({1, -20, 300}, {.dtype = int64})) == "[  1 -20 300]");
  CHECK(text(tensor({1.0, 0.0}) > 0.5) == "[ True False]");
  CHECK(text(tensor(7, {.dtype = int64})) == "7");
  CHECK(text(transpose(tensor({{1, 2}, {3, 4}}, {.dtype = int64}), 0, 1)) == "[[1 3]\n [2 4]]");
  CHECK(text(tensor({-1e-10, 1e300}, {.dtype = float64})) == "[-1.e-010  1.e+300]");
  CHECK(text(Tensor()) == "undefined");
}

TEST_CASE("print: a tensor without elements takes no time, whatever its other sizes are") {
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  for (const Shape& shape : {Shape{0, huge, 8}, Shape{huge, 0}, Shape{huge, huge, 0, 2}})
    CHECK(text(zeros(shape)) == "[]");
}
