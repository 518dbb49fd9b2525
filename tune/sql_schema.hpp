#pragma once

#include "database.hpp"

namespace xgrad::tune {

/// Makes the tables that are missing: Optuna's and our own. Throws Error for tables of another version of Optuna.
void create_tables(Database& database);

}  // namespace xgrad::tune
