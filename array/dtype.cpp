#include "dtype.hpp"

#include <ostream>

namespace xgrad {

const char* name(DType dtype) { return detail::row_of(dtype).name; }

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }

}  // namespace xgrad
