// load_npy takes any bytes: it reads them or throws Error, and what it reads can be written and read again.

#include <xgrad/io/npy.hpp>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
  try {
    const xgrad::Tensor tensor = xgrad::load_npy(input.path());
    const xgrad::io::NpyPieces pieces = xgrad::io::npy_pieces("fuzz", tensor);
    const std::string bytes = pieces.header + std::string(pieces.elements());
    const FuzzInput again(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    const xgrad::Tensor same = xgrad::load_npy(again.path());
    if (same.shape() != tensor.shape() || same.dtype() != tensor.dtype()) std::abort();
  } catch (const xgrad::Error&) {
  }
  return 0;
}
