#pragma once

#include "database.hpp"
#include "storage.hpp"

namespace xgrad::tune {

/// The study with this id in a database, whose rows in `studies` and `xgrad_studies` are there.
std::unique_ptr<StudyStorage> make_sql_study(std::shared_ptr<Database> database, std::int64_t id,
                                             std::chrono::milliseconds lease);

std::vector<Direction> directions_of(Database& database, std::int64_t study);

/// Names of a study's objectives; empty where nobody gave them.
std::vector<std::string> metric_names_of(Database& database, std::int64_t study, std::size_t objectives);

}  // namespace xgrad::tune
