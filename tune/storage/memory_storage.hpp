#pragma once

#include "storage.hpp"

namespace xgrad::tune {

/// Studies that end with the process, each for one Study.
std::unique_ptr<Storage> make_memory_storage();

}  // namespace xgrad::tune
