#pragma once

#include "database.hpp"
#include "storage.hpp"

namespace xgrad::tune {

/// The study with this id in a database, whose rows in `studies` and `xgrad_studies` are there.
std::unique_ptr<StudyStorage> make_sql_study(std::shared_ptr<Database> database, std::int64_t id,
                                             std::chrono::milliseconds lease);

}  // namespace xgrad::tune
