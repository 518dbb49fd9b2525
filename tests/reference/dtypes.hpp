#pragma once
// dtypes.json, which make_dtypes.py wrote with PyTorch, and tensors from it.

#include <fstream>
#include <string>
#include <vector>

#include <xgrad/array/dtype.hpp>

#include "operation_samples.hpp"

namespace reference {

inline const nlohmann::json& dtypes() {
  static const nlohmann::json data = [] {
    std::ifstream file(XGRAD_TESTS_DIR "/reference/dtypes.json");
    return nlohmann::json::parse(file);
  }();
  return data;
}

inline constexpr xgrad::DType all_dtypes[] = {
#define XGRAD_ROW(name, text, kind, type, compute) xgrad::DType::name,
    XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW
};

inline xgrad::DType dtype_named(const std::string& text) {
  for (const xgrad::DType dtype : all_dtypes)
    if (xgrad::name(dtype) == text) return dtype;
  throw std::out_of_range(text);
}

/// A number of the file, exactly.
inline xgrad::Scalar to_scalar(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return to_double(value);
}

/// The numbers of the file in a tensor that holds them exactly.
inline xgrad::Tensor to_tensor(const nlohmann::json& numbers, xgrad::DType dtype) {
  const xgrad::Tensor out = xgrad::empty({static_cast<std::int64_t>(numbers.size())}, {.dtype = dtype});
  for (std::size_t i = 0; i < numbers.size(); ++i)
    xgrad::detail::store("reference", to_scalar(numbers[i]), dtype, out.impl().data + i * item_size(dtype));
  return out;
}

/// An element as JSON has it: exact integers, floating numbers as float64.
inline nlohmann::json to_json_number(const xgrad::Tensor& x, std::int64_t i) {
  if (is_floating(x.dtype())) return to_json(x.at({i}));
  if (x.dtype() == xgrad::bool_) return x.at<bool>({i});
  return x.at<std::int64_t>({i});
}

}  // namespace reference
