#pragma once
// A connection to an SQL database: SQLite or PostgreSQL.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../../core/error.hpp"
#include "storage.hpp"

namespace xgrad::tune {

/// A value in a result; bytes are a string too.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;
using SqlRow = std::vector<SqlValue>;
using SqlRows = std::vector<SqlRow>;

/// A value given to a statement.
using SqlArgument = std::variant<std::monostate, std::int64_t, double, std::string_view, std::span<const std::byte>>;

/// For one thread at a time. Errors are Error, `tune: URL: what the database says`; a statement that failed changed
/// nothing, and its transaction is rolled back.
class Database {
 public:
  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs one statement with $1, $2, ... replaced in this order. Statements are prepared once for each text.
  virtual SqlRows query(const std::string& sql, std::span<const SqlArgument> arguments) = 0;
  SqlRows query(const std::string& sql, std::initializer_list<SqlArgument> arguments = {}) {
    return query(sql, std::span(arguments.begin(), arguments.size()));
  }
  /// Runs several statements that give no rows.
  virtual void run(const std::string& sql) = 0;

  /// Begins a transaction: a reading one sees one state of everything, a writing one waits for other writers.
  virtual void begin(bool writing) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;

  /// The first value of a row that must be there; an Error says that `what` is not.
  SqlValue value(std::string_view what, const std::string& sql, std::initializer_list<SqlArgument> arguments = {}) {
    SqlRows rows = query(sql, arguments);
    check(!rows.empty(), "tune: ", name(), ": ", what, " is not there any more");
    return std::move(rows[0].at(0));
  }

  /// Milliseconds on the clock by which all users of this database measure leases. SQLite's are on one machine: theirs
  /// is the monotonic clock since it was booted, which nobody sets.
  virtual std::int64_t now() = 0;
  /// False where it is sure that no one else wrote anything since this was last asked.
  virtual bool changed_by_others() = 0;

  virtual bool is_postgresql() const = 0;
  virtual const std::string& name() const = 0;

 protected:
  Database() = default;
};

/// Rolled back unless committed.
class Transaction {
 public:
  enum Kind { reading, writing };
  Transaction(Database& database, Kind kind) : database_(database) { database_.begin(kind == writing); }
  ~Transaction() {
    if (open_) database_.rollback();
  }
  Transaction(const Transaction&) = delete;
  void commit() {
    database_.commit();
    open_ = false;
  }

 private:
  Database& database_;
  bool open_ = true;
};

/// Of a whole number; an Error for everything else, which SQLite may have in any column.
std::int64_t integer(const SqlValue& value);
/// Of a number.
double real(const SqlValue& value);
/// Of a text, or bytes; empty for NULL.
std::string text(const SqlValue& value);
inline bool is_null(const SqlValue& value) { return std::holds_alternative<std::monostate>(value); }

/// Nothing is written before the first statement that writes, but that a file which is not there is made.
std::unique_ptr<Database> open_sqlite(const std::string& file, const OpenStorageOptions& options);
/// `url` begins with postgresql://. Throws Error where the library was built without libpq.
std::unique_ptr<Database> open_postgresql(const std::string& url, const OpenStorageOptions& options);

}  // namespace xgrad::tune
