#pragma once
// xtensor's headers as this library needs them: found where 0.24 and 0.26 put them, and usable in C++20.
//
// xtensor up to 0.24 guards a template specialisation with `__cplusplus == 201703L`. In C++20, g++ then takes an array
// of any rank for one of rank 4: xt::eval of an xt::xarray has the wrong type, immediate reducers and xt::variance
// crash. The specialisation is supplied here. It works before and after the program's own xtensor headers, and changes
// nothing where xtensor has its own. A file of the same program that uses xtensor without this header is not protected,
// and may bring its broken instantiations into the others when they are linked: include this header in each of them.

#include <cstddef>

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/core/xnoalias.hpp>
#include <xtensor/views/xstrided_view.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xstrided_view.hpp>
#endif

namespace xt::detail {

// The constraint makes this another specialisation than xtensor's, and the one that is chosen where both are there.
template <template <class, std::size_t, class, bool> class S, class X, std::size_t N, class A, bool Init>
requires true struct xtype_for_shape<S<X, N, A, Init>> {
  template <class T, layout_type L>
  using type = xarray<T, L>;
};

}  // namespace xt::detail
