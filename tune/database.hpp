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

  /// Milliseconds since 1970 on the clock that all users of this database share.
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

inline std::int64_t integer(const SqlValue& value) {
  if (const auto* real = std::get_if<double>(&value)) return static_cast<std::int64_t>(*real);
  const auto* integer = std::get_if<std::int64_t>(&value);
  return integer ? *integer : 0;
}
inline double real(const SqlValue& value) {
  const auto* real = std::get_if<double>(&value);
  return real ? *real : static_cast<double>(integer(value));
}
inline std::string text(const SqlValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : std::string();
}
inline bool is_null(const SqlValue& value) { return std::holds_alternative<std::monostate>(value); }

/// The file is made if it is not there, unless `create` is false.
std::unique_ptr<Database> open_sqlite(const std::string& file, bool create);
/// Throws Error where the library was built without libpq.
std::unique_ptr<Database> open_postgresql(const std::string& url);

}  // namespace xgrad::tune
