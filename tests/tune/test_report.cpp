#include <xgrad/io/file.hpp>
#include <xgrad/tune.hpp>

#include <limits>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;

namespace {

// The data in the page.
nlohmann::json data_of(const std::string& page) {
  const std::string before = "<script type=\"application/json\" id=\"data\">";
  const auto begin = page.find(before) + before.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

}  // namespace

TEST_CASE("tune report: one page with all the data, which loads nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("report.html");
  auto study = tune::Study::open("", "a </script><b> & \"c\"", {.direction = tune::maximize});
  study.write_report(path);  // nothing has run yet
  CHECK(data_of(io::read_file(path))["trials"].empty());

  study.optimize(
      [](tune::Trial& trial) {
        const double x = trial.suggest_float("x<!--", 1e-3, 1, tune::log_scale);
        trial.suggest_categorical("</script>", {"</script>", "<!--"});
        trial.report(1, x / 2);
        if (trial.number() == 3) trial.report(2, std::numeric_limits<double>::quiet_NaN());
        return x;
      },
      {.trials = 20});
  study.write_report(path);
  const std::string page = io::read_file(path);
  for (const char* outside : {"src=", "href=", "@import", "url(", "fetch(", "https:"}) {
    CAPTURE(outside);
    CHECK(page.find(outside) == std::string::npos);
  }
  const auto data = data_of(page);
  CHECK(data["name"] == study.name());
  REQUIRE(data["trials"].size() == 20);
  CHECK(data["trials"][3]["state"] == "diverged");
  CHECK(data["trials"][3]["intermediate"][1][1] == "nan");
  CHECK(data["parameters"]["x<!--"]["attributes"]["log"] == true);
  CHECK(data["trials"][0]["values"][0] == study.trials().at(0).values.at(0));
  CHECK(data["importance"][0].size() == 2);
  CHECK(directory.names() == std::vector<std::string>{"report.html"});
}
