#pragma once
// Archives of NumPy arrays (.npz).

#include <string>

#include "../autograd/named_tensors.hpp"

namespace xgrad {

struct NpzOptions {
  bool compressed = false;  // as numpy.savez_compressed
};

/// Writes tensors to a .npz file, an array `name.npy` for each, as numpy.savez does. The archive is put together in
/// memory, and the file appears in one step (see io/file.hpp). Throws Error for a name that repeats or is empty, and as
/// save_npy().
void save_npz(const std::string& path, const NamedTensors& tensors, const NpzOptions& options = {});

/// The arrays of a .npz file, stored or compressed, in the order of the archive. Throws Error for a file that is no
/// archive, is damaged or has other things in it, and as load_npy(), naming the array.
NamedTensors load_npz(const std::string& path);

}  // namespace xgrad
