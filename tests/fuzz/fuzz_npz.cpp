// load_npz takes any bytes: it reads them or throws Error, and what it reads can be written and read again.

#include <xgrad/npz/npz.hpp>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string copy = "/dev/shm/xgrad-fuzz-npz-" + std::to_string(::getpid());
  const FuzzInput input(data, size);
  xgrad::NamedTensors first;
  try {
    first = xgrad::load_npz(input.path());
    xgrad::save_npz(copy, first, {.compressed = size % 2 == 0});
  } catch (const xgrad::Error&) {  // some archives have names that ours do not
    return 0;
  }
  const xgrad::NamedTensors second = xgrad::load_npz(copy);
  if (second.size() != first.size()) std::abort();
  for (std::size_t i = 0; i < first.size(); ++i)
    if (second[i].first != first[i].first || second[i].second.shape() != first[i].second.shape() ||
        second[i].second.dtype() != first[i].second.dtype())
      std::abort();
  return 0;
}
