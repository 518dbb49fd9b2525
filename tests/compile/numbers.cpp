// Numbers of a type that means nothing where they stand: none of these compiles but case 0.
#include <xgrad/autograd/create.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/indexing.hpp>

using namespace xgrad;

int main() {
  Tensor x = ones({2, 2});
  maximum(x, 0.0);
#if CASE == 1  // not the larger of two, but an axis
  max(x, 0.0);
#elif CASE == 2
  min(x, 1.5f);
#elif CASE == 3
  argmax(x, 0.0);
#elif CASE == 4
  argmin(x, false);
#elif CASE == 5
  zeros(2.5);
#elif CASE == 6
  zeros("23");
#elif CASE == 7
  x[0.5];
#elif CASE == 8
  const Tensor constant = x;
  constant += 1;
#endif
}
