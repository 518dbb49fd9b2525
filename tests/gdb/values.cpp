// What gdb prints of the arguments of stop() is told in tests/CMakeLists.txt.
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/operand.hpp>

using namespace xgrad;

[[gnu::noinline]] void stop(Operand operand, const Tensor& view, const Saved& saved, const Shape& shape, DType dtype,
                            const Tensor& bytes, const Tensor& half, const Tensor& brain) {
  asm volatile("" ::"r"(&operand), "r"(&view), "r"(&saved), "r"(&shape), "r"(dtype), "r"(&bytes), "r"(&half),
               "r"(&brain)
               : "memory");
}

int main() {
  const Tensor x = tensor({{1.5, 2.0, 3.0}, {4.0, 5.0, 6.0}}, {.requires_grad = true});
  stop(x, detail::view(arange(8, {.dtype = int64}), {7}, {1}, 1), Saved(tensor({true, false})), x.shape(), x.dtype(),
       tensor({65, 200}, {.dtype = uint8}), tensor({-1.5}, {.dtype = float16}), tensor({0.25}, {.dtype = bfloat16}));
}
