// image::decode takes any bytes: it reads a picture of a bounded size or throws Error.

#include <xgrad/image/image.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t most = 1 << 20;
  try {
    const xgrad::Tensor picture =
        xgrad::image::decode({reinterpret_cast<const char*>(data), size}, {.max_pixels = most});
    if (picture.dim() != 3 || picture.size(1) * picture.size(2) > most) std::abort();
  } catch (const xgrad::Error&) {
  }
  return 0;
}
