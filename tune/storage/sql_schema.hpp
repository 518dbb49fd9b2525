#pragma once

#include "database.hpp"

namespace xgrad::tune {

enum class Tables { none, optuna, own };  ///< `own`: those of Optuna and ours

/// What there is. Throws Error for a database of another program, and for tables of another version of Optuna.
Tables tables_of(Database& database);

/// Makes the tables that are missing, after the same checks.
void create_tables(Database& database);

}  // namespace xgrad::tune
