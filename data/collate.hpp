#pragma once
// Samples side by side: structs of tensors, numbers and strings become a tuple of batches of their fields.

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/create.hpp"
#include "../core/reflect.hpp"
#include "../ops/joining.hpp"

namespace xgrad::data {

namespace internal {

/// Tensors of one field of the samples, stacked along a new first axis. Throws Error, which names the field, where
/// their shapes or dtypes differ.
Tensor stack_field(std::string_view field, const std::vector<Tensor>& tensors);

template <class Field>
auto collate_field(std::string_view name, const std::vector<Field>& values) {
  if constexpr (std::is_same_v<Field, Tensor>) {
    return stack_field(name, values);
  } else if constexpr (std::is_same_v<Field, std::string>) {
    return values;
  } else {
    static_assert(std::is_arithmetic_v<Field>, "a field of a sample is a Tensor, a number or a std::string");
    using Element = xgrad::detail::ElementOf<Field>;
    Tensor out = xgrad::detail::empty({static_cast<std::int64_t>(values.size())}, dtype_of<Element>());
    std::copy(values.begin(), values.end(), out.data<Element>());
    return out;
  }
}

template <class T>
struct IsPair : std::false_type {};
template <class A, class B>
struct IsPair<std::pair<A, B>> : std::true_type {};

template <class F, class... Before>
decltype(auto) unpacked(const xgrad::detail::FieldList<>&, const F& f, const Before&... before) {
  return f(before...);
}
template <class First, class... Rest, class F, class... Before>
decltype(auto) unpacked(const xgrad::detail::FieldList<First, Rest...>& list, const F& f, const Before&... before) {
  return unpacked(list.rest, f, before..., list.value);
}
template <class... Values, class F>
decltype(auto) with_listed(xgrad::detail::FieldList<Values...>& list, const F& f) {
  std::array<std::string_view, sizeof...(Values)> names;
  auto next = names.begin();
  const auto take = [&](std::string_view name, const auto&) { *next++ = name; };
  xgrad::detail::visit<true>(list, take);
  return unpacked(list, [&](const auto&... field) -> decltype(auto) { return f(names, field...); });
}

/// Calls f(names, fields...) with references to the fields of a sample.
template <class Sample, class F>
decltype(auto) with_sample_fields(const Sample& sample, F&& f) {
  if constexpr (IsPair<Sample>::value) {
    return f(std::array<std::string_view, 2>{"first", "second"}, sample.first, sample.second);
  } else if constexpr (ListsFields<Sample>) {
    auto list = const_cast<Sample&>(sample).fields();
    return with_listed(list, f);
  } else {
    static_assert(Reflectable<Sample>,
                  "a sample is a Tensor, a number, a std::string, a std::pair of such, or a struct");
    return xgrad::detail::with_fields(sample, [&](const auto&... field) -> decltype(auto) {
      return f(xgrad::detail::field_names<Sample>, field...);
    });
  }
}

}  // namespace internal

/// A batch of samples: of structs (and pairs) a std::tuple with an entry for each field in order of declaration, else
/// the entry itself. Tensors are stacked along a new first axis, numbers become a tensor (N,) of their type (int64 of
/// int), strings a std::vector. Throws Error for no samples, and for tensors of different shapes or dtypes, naming the
/// field.
template <class Sample>
auto collate(const std::vector<Sample>& samples) {
  check(!samples.empty(), "collate: there are no samples");
  if constexpr (std::is_same_v<Sample, Tensor> || std::is_same_v<Sample, std::string> || std::is_arithmetic_v<Sample>) {
    return internal::collate_field("sample", samples);
  } else {
    return internal::with_sample_fields(samples[0], [&]<class... Fields>(const auto& names, const Fields&...) {
      std::tuple<std::vector<Fields>...> columns;
      for (const Sample& sample : samples)
        internal::with_sample_fields(sample, [&](const auto&, const auto&... field) {
          std::apply([&](auto&... column) { (column.push_back(field), ...); }, columns);
        });
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple{internal::collate_field(names[I], std::get<I>(columns))...};
      }
      (std::index_sequence_for<Fields...>());
    });
  }
}

template <class Sample>
using Collated = decltype(collate(std::declval<const std::vector<Sample>&>()));

}  // namespace xgrad::data
