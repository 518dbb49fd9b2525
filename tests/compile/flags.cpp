// A user's file, for flags that it may be compiled with.
#include <xgrad/tune.hpp>
#include <xgrad/xgrad.hpp>

xgrad::Tensor use(const xgrad::Tensor& x) {
  xgrad::nn::Sequential net(xgrad::nn::Linear(2, 3), xgrad::nn::ReLU());
  return net[0].is<xgrad::nn::Linear>() ? net(x) : x;
}
