#include <xgrad/core/error.hpp>
#include <xgrad/tune/storage/storage.hpp>
#include <xgrad/tune/study/study.hpp>
#include <xgrad/tune/trials/text.hpp>

#include "../catch.hpp"

using namespace xgrad;
using Catch::Contains;

TEST_CASE("tune text: what is UTF-8, and what can be printed") {
  for (const char* text : {"", "a", "caf\u00e9", "\u20ac", "\U0001f600"}) CHECK(tune::is_utf8(text));
  for (const char* text : {"caf\xe9", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
    CHECK_FALSE(tune::is_utf8(text));
  CHECK(tune::printable("caf\u00e9 \u20ac") == "caf\u00e9 \u20ac");
  CHECK(tune::printable("\x1b[31m\a\n\t\x7f") == "\\x1b[31m\\x07\\n\\t\\x7f");
  CHECK(tune::printable(std::string("a\0b\xff", 4)) == "a\\x00b\\xff");
  CHECK(tune::printable("\u202e\u009b") == "\\u202e\\u009b");
}

TEST_CASE("tune text: secrets are hidden in every spelling") {
  const std::pair<const char*, const char*> cases[] = {
      {"postgresql://me:sEcReT@host/db", "postgresql://me:***@host/db"},
      {"postgresql://me:sE@cReT@host/db", "postgresql://me:***@host/db"},
      {"postgresql://me:sE/cReT@host/db", "postgresql://me:***@host/db"},
      {"postgresql://me:sE cReT@host/db", "postgresql://me:***@host/db"},
      {"postgresql+psycopg2://me:sEcReT@host/db", "postgresql+psycopg2://me:***@host/db"},
      {"POSTGRES://me:sEcReT@host/db", "POSTGRES://me:***@host/db"},
      {"mysql://me:sEcReT@host", "mysql://me:***@host"},
      {"postgresql://me:sEcReT@[::1]:5432/db", "postgresql://me:***@[::1]:5432/db"},
      {"postgresql:///db?password=sEcReT&host=/tmp", "postgresql:///db?password=***&host=/tmp"},
      {"postgresql:///db?p%61ssword=sEcReT", "postgresql:///db?p%61ssword=***"},
      {"postgresql:///db?PASSWORD=sEcReT&user=me", "postgresql:///db?PASSWORD=***&user=me"},
      {"postgresql:///db?sslpassword=sEcReT&passfile=sEcReT", "postgresql:///db?sslpassword=***&passfile=***"},
      {"postgresql:///db?options=sEcReT", "postgresql:///db?***"},
      {"postgresql:///db?password=sE&cReT", "postgresql:///db?password=***&***"},
      {"postgresql://me:sEcReT/db", "postgresql://me:***/db"},
      {"postgresql://one:1,[::1]:2/db", "postgresql://one:1,[::1]:2/db"},
      {"host=h password=sEcReT user=me", "host=h password=*** user=me"},
      {"host=h password = 'sE cR\\'eT' user=me", "host=h password=*** user=me"},
      {"host=h password=sE cReT", "host=h password=***"},
      {"me:sEcReT@host", "me:***@host"},
      {"cannot open \"postgresql://me:sEcReT@host/db\": no", "cannot open \"postgresql://me:***@host/db\": no"},
      {"tune: PGPASSWORD=sEcReT", "tune: PGPASSWORD=***"}};
  for (const auto& [text, shown] : cases) CHECK(tune::redacted(text) == shown);
  for (const char* text : {"postgresql://me:sE?cReT@host/db", "postgresql://me:sE?c@ReT@host/db",
                           "postgresql://me:x@host/db?password=sE@cReT", "postgresql://host:1/db?password=sE@cReT"}) {
    CAPTURE(text);
    for (const char* part : {"sE", "cReT", "ReT"}) CHECK_THAT(tune::redacted(text), !Contains(part));
  }
  for (const char* text : {"sqlite:study.db", "postgresql://me@host:5432/db?sslmode=require", "mysql://x",
                           "trial 3: lr=0.1: at 10:30", "tune: disk I/O error"})
    CHECK(tune::redacted(text) == text);
}

TEST_CASE("tune: no message shows the password of a storage") {
  for (const char* url :
       {"postgresql://me:sEcReT@127.0.0.1:1/db", "postgresql://me:sE@cReT@127.0.0.1:1/db",
        "postgresql+psycopg2://me:sEcReT@127.0.0.1:1/db", "Postgres://me:sEcReT@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?user=me&password=sEcReT", "postgresql://127.0.0.1:1/db?PASSWORD=sEcReT",
        "postgresql://me:sE%40cReT@127.0.0.1:1/db", "postgresql://me:sE/cReT@127.0.0.1:1/db",
        "postgresql://me:sE?cReT@127.0.0.1:1/db", "postgresql://me:1/cReT@127.0.0.1:1/db",
        "postgresql://127.0.0.1:sEcReT/db", "postgresql://127.0.0.1:1/db?sslpassword=sEcReT&nonsense=sEcReT",
        "mysql://me:sEcReT@host/db", "host=127.0.0.1 port=1 password=sEcReT", "me:sEcReT@host"}) {
    CAPTURE(url);
    std::string message;
    try {
      tune::open_storage(url);
    } catch (const Error& error) {
      message = error.what();
    }
    CHECK_FALSE(message.empty());
    for (const char* part : {"sEcReT", "sE@", "sE%", "cReT"}) CHECK_THAT(message, !Contains(part));
  }
  auto study = tune::Study::open("", "s");
  const auto objective = [](tune::Trial&) -> double { throw Error("no postgresql://me:sEcReT@host/db"); };
  CHECK_THROWS_WITH(study.optimize(objective, {.max_failures = 1}), !Contains("sEcReT"));
  CHECK(study.trials().at(0).attributes.at("error") == "\"no postgresql://me:***@host/db\"");
}
