#pragma once
// LeNet-5 (LeCun et al., 1998), with maximum pooling and ReLU.

#include <xgrad/xgrad.hpp>

namespace models {

/// (N, 1, 28, 28) to logits (N, classes).
struct LeNet {
  xgrad::nn::Conv2d conv1{1, 6, 5, {.padding = 2}}, conv2{6, 16, 5};
  xgrad::nn::Linear fc1{400, 120}, fc2{120, 84}, fc3{84, 10};

  xgrad::Tensor operator()(const xgrad::Tensor& image) const {
    xgrad::Tensor h = max_pool2d(relu(conv1(image)), 2);
    h = max_pool2d(relu(conv2(h)), 2);
    return fc3(relu(fc2(relu(fc1(flatten(h, 1))))));
  }
};

}  // namespace models
