#include "dtype.hpp"

#include <ostream>

namespace xgrad {

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }

}  // namespace xgrad
