#pragma once
// Storages to test.

#include <cstdlib>
#include <stdexcept>
#include <string>

/// Of an empty database; tests tagged [.postgresql] are run by tests/tune/with_postgresql.sh, which sets it.
inline std::string postgresql_url() {
  const char* url = std::getenv("XGRAD_POSTGRESQL_URL");
  if (!url) throw std::runtime_error("XGRAD_POSTGRESQL_URL is not set");
  return url;
}
