#pragma once

#include "database.hpp"
#include "storage.hpp"

namespace xgrad::tune {

/// Studies in the tables of a database, which open() makes where they are missing.
std::unique_ptr<Storage> make_sql_storage(std::unique_ptr<Database> database);

}  // namespace xgrad::tune
