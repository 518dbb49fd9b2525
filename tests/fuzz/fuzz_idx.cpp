// read_idx takes any bytes: it reads them or throws Error, and what it reads has the size its shape says.

#include <xgrad/data/idx.hpp>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
  try {
    const xgrad::data::IdxArray array = xgrad::data::read_idx(input.path());
    if (static_cast<std::uint64_t>(array.shape.numel()) != array.values.size()) std::abort();
  } catch (const xgrad::Error&) {
  }
  return 0;
}
