// The program xgrad-tune, as it is typed.

#ifdef XGRAD_TUNE_CLI

#include <xgrad/tune.hpp>

#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "../../io/file.hpp"
#include "../catch.hpp"
#include "../temporary_directory.hpp"
#include "processes.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

struct Result {
  int status;
  std::string output;  // both standard output and standard error
};

Result run(const TemporaryDirectory& directory, const std::string& words, const std::string& to = "") {
  const std::string log = directory.path("output");
  const std::string command =
      "'" XGRAD_TUNE_CLI "' " + words + " >'" + (to.empty() ? log : to) + "' 2>'" + log + ".err'";
  const int status = std::system(command.c_str());
  const std::string output = (to.empty() ? io::read_file(log) : "") + io::read_file(log + ".err");
  for (const char* end : {"", ".err"}) std::filesystem::remove(log + end);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

}  // namespace

TEST_CASE("xgrad-tune: its exit status says what happened") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("s.db");
  tune::Study::open(url, "s").optimize([](tune::Trial& t) { return t.suggest_float("x", 0, 1); }, {.trials = 2});
  const auto status = [&](const std::string& words, const std::string& to = "") {
    return run(directory, words, to).status;
  };
  CHECK(status("list " + url) == 0);
  CHECK(status("--help") == 0);
  CHECK(status("show --help") == 0);
  CHECK(status("list " + url + " --nonsense") == 2);
  CHECK(status("lst " + url) == 2);
  CHECK(status("") == 2);
  CHECK(status("list") == 2);
  CHECK(status("export " + url + " file.txt") == 2);
  CHECK(status("enqueue " + url + " x") == 2);
  CHECK(status("list sqlite:/no/such/file") == 1);
  CHECK(status("show " + url + " -s t") == 1);
  for (const char* words : {"list ", "show ", "best "}) CHECK(status(words + url, "/dev/full") == 1);
  CHECK(status("--help", "/dev/full") == 1);
  CHECK_THAT(run(directory, "--help").output, Contains("Exit status") && Contains("PGPASSWORD"));
}

TEST_CASE("xgrad-tune: commands that read change nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("s.db"), url = "sqlite:" + path;
  tune::Study::open(url, "s").optimize([](tune::Trial& t) { return t.suggest_float("x", 0, 1); }, {.trials = 2});
  const std::string before = io::read_file(path);
  for (const std::string words : {"list ", "show ", "best "}) {
    CHECK(run(directory, words + url).status == 0);
    CHECK(io::read_file(path) == before);
    CHECK(directory.names() == std::vector<std::string>{"s.db"});
  }
  for (const char* file : {"out.csv", "out.json", "out.html"}) {
    const std::string word = file == std::string("out.html") ? "report " : "export ";
    CHECK(run(directory, word + url + " " + directory.path(file)).status == 0);
  }
  CHECK(directory.names() == std::vector<std::string>{"out.csv", "out.html", "out.json", "s.db"});
  CHECK(io::read_file(path) == before);
}

TEST_CASE("xgrad-tune: enqueue takes what a storage holds") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("s.db");
  tune::Study::open(url, "s");
  for (const char* value : {"18446744073709551615", "-9223372036854775809", "1e999", "$'\\xff'"}) {
    const Result result = run(directory, "enqueue " + url + " \"x=" + value + "\"");
    CAPTURE(value, result.output);
    if (value[0] != '$') CHECK(result.status == 2);
  }
  CHECK(tune::open_storage(url)->read("s").size() == 1);  // the one that a shell made of $'\xff'
  CHECK(run(directory, "enqueue " + url + " x=9223372036854775807 y=word").status == 0);
  CHECK(tune::open_storage(url)->read("s")[1].attributes.at("fixed_params") ==
        "{\"x\":9223372036854775807,\"y\":\"word\"}");
}

TEST_CASE("xgrad-tune: prints neither escapes nor passwords") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("s.db"), name = "\x1b[2Jstudy";
  tune::Study::open(url, name).optimize(
      [](tune::Trial& t) {
        t.suggest_categorical("\x1b]0;x\a", {"\x1b[31mred", "=1+1"});
        return t.suggest_float("x", 0, 1);
      },
      {.trials = 3});
  for (const std::string words : {"list ", "show ", "best "}) {
    const Result result = run(directory, words + url);
    CHECK(result.status == 0);
    CHECK_THAT(result.output, Contains("\\x1b") && !Contains("\x1b"));
  }
  CHECK_THAT(run(directory, "show " + url + " -s \"$(printf '\\033[0m')\"").output, !Contains("\x1b"));
  for (const char* words : {"list postgresql://u:sEcReT@127.0.0.1:1/d", "lst postgresql://u:sEcReT@127.0.0.1:1/d",
                            "list 'host=127.0.0.1 password=sEcReT'", "show mysql://u:sEcReT@h/d -s s"}) {
    const Result result = run(directory, words);
    CHECK(result.status != 0);
    CHECK_THAT(result.output, !Contains("sEcReT"));
  }
}

TEST_CASE("xgrad-tune: shows what one asks for, and runs a study day by day") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("s.db"), copy = "sqlite:" + directory.path("copy.db");
  CHECK(run(directory, "create " + url + " -s s --direction maximize").status == 0);
  CHECK(run(directory, "create " + url + " -s t --direction up").status == 2);
  auto study = tune::Study::open(url, "s", {.direction = tune::maximize, .sampler = tune::Random{}});
  study.optimize(
      [](tune::Trial& t) {
        const double x = t.suggest_float("x", 0, 1);
        t.suggest_int("n", 1, 3);
        t.set_constraint("c", t.number() == 0 ? 1 : 0);
        check(t.number() != 1, "no luck");
        for (const int epoch : t.epochs(2)) t.report(epoch, x);
        return static_cast<double>(t.number()) + 1.0 / 3;
      },
      {.trials = 4});
  const auto output = [&](const std::string& words) {
    const Result result = run(directory, words);
    CAPTURE(words, result.output);
    CHECK(result.status == 0);
    return result.output;
  };
  const std::string top = output("show " + url + " --top 1");
  CHECK_THAT(top, Contains("violation") && Contains("4.3333  ") && !Contains("3.3333"));
  CHECK_THAT(output("show " + url + " --exact"), Contains("4.333333333333333"));
  CHECK_THAT(output("show " + url + " --state failed --errors"), Contains("no luck") && !Contains("complete"));
  CHECK_THAT(output("show " + url + " --trial 0"), Contains("constraint c 1") && Contains("report 2 0."));
  CHECK(run(directory, "show " + url + " --state done").status == 2);
  CHECK(run(directory, "show " + url + " --trial 9").status == 1);
  CHECK_THAT(output("importance " + url), Contains(" %\tx") && Contains(" %\tn"));
  CHECK_THAT(output("importance " + url + " --evaluator fanova"), Contains(" %\tx") && Contains(" %\tn"));
  CHECK(run(directory, "importance " + url + " --evaluator shap").status == 2);
  CHECK_THAT(output("watch " + url + " --interval 0"), Contains("5 trials, 4 complete, 1 failed, best 4.33333"));
  output("checkpoint " + url + " " + directory.path("best.safetensors"));
  CHECK(io::read_file(directory.path("best.safetensors")) == study.best_checkpoint().bytes);
  CHECK(run(directory, "checkpoint " + url + " x --trial 1").status == 1);
  CHECK_THAT(output("copy " + url + " " + copy), Contains("5 trials copied"));
  const auto copied = tune::open_storage(copy)->read("s");
  for (const auto& trial : study.trials()) {
    CHECK(copied[trial.number].values == trial.values);
    CHECK(copied[trial.number].state == trial.state);
    CHECK(copied[trial.number].constraints == trial.constraints);
  }
  CHECK(run(directory, "copy " + url + " " + copy).status == 1);
  CHECK_THAT(output("retry " + url), Contains("1 trials wait"));
  CHECK(study.trials().at(5).state == tune::TrialState::waiting);
  CHECK_THAT(output("clean " + url), Contains("0 checkpoints removed"));
  CHECK_THAT(output("--version"), Contains("xgrad-tune 0.1.0"));
}

TEST_CASE("xgrad-tune: ask and tell run a study from a shell") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("s.db"), space = directory.path("space.json");
  const auto output = [&](const std::string& words) {
    const Result result = run(directory, words);
    CAPTURE(words, result.output);
    CHECK(result.status == 0);
    return result.output;
  };
  const auto fails = [&](const std::string& words, int status, const std::string& message) {
    const Result result = run(directory, words);
    CAPTURE(words);
    CHECK(result.status == status);
    CHECK_THAT(result.output, Contains(message));
  };
  const std::string given = R"( --space '{
    "x": {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0, "step": null, "log": false}},
    "kind": {"name": "CategoricalDistribution", "attributes": {"choices": ["only"]}}}')";
  fails("ask " + url + given, 1, "s.db");
  output("create " + url + " -s s --direction minimize,maximize");
  output("create " + url + " -s t");

  // One trial after the other, each by a process of its own: none is taken for another's.
  const auto ask = [&](const std::string& words) { return nlohmann::json::parse(output("ask " + url + words)); };
  const auto first = ask(" -s t --sampler random --seed 3" + given);
  CHECK(first["number"] == 0);
  CHECK(first["params"].size() == 2);
  CHECK(first["params"]["kind"] == "only");
  const double x = first["params"]["x"];
  CHECK((x >= 0 && x <= 1));
  CHECK(ask(" -s t --sampler tpe" + given)["number"] == 1);
  CHECK(output("ask " + url + " -s t") == "{\"number\": 2, \"params\": {}}\n");
  output("enqueue " + url + " -s t x=0.25");
  CHECK(output("ask " + url + " -s t" + given) == "{\"number\": 3, \"params\": {\"kind\":\"only\",\"x\":0.25}}\n");
  CHECK(output("tell " + url + " -s t --trial 0 --values -0.5") == "trial 0 is complete\n");
  CHECK(output("tell " + url + " -s t --trial 1 --state failed") == "trial 1 is failed\n");
  CHECK(output("tell " + url + " -s t --trial 2 --values nan") == "trial 2 is diverged\n");
  CHECK(output("tell " + url + " -s t --trial 0 --state pruned --skip-if-finished") == "trial 0 is complete\n");
  const auto trials = tune::open_storage(url)->read("t");
  CHECK(trials[0].values == std::vector<double>{-0.5});
  CHECK(trials[0].parameters.at(1).value == x);
  CHECK(trials[3].state == tune::TrialState::running);

  fails("tell " + url + " -s t --trial 0 --values 1", 1, "attach: trial 0 is complete, not running");
  fails("tell " + url + " -s t --trial 9 --values 1", 1, "there is no trial 9 among 4");
  fails("tell " + url + " -s t --trial 3 --values 1,2", 1, "trial 3: 2 values for 1 objectives");
  fails("tell " + url + " -s t --trial 3 --state complete", 1, "neither returned nor reported a value");
  fails("tell " + url + " -s t --trial 3", 2, "either --values or --state");
  fails("tell " + url + " -s t --trial 3 --values 1 --state pruned", 2, "either --values or --state");
  fails("tell " + url + " -s t --trial 3 --state waiting", 2, "a trial does not end as waiting");
  fails("tell " + url + " -s t --trial 3 --values one", 2, "one");
  fails("tell " + url + " -s t --values 1", 2, "--trial");
  fails("ask " + url + " -s t --space '[1]'", 2, "is no object of distributions");
  fails("ask " + url + " -s t --space '{\"x\": {\"name\": \"Normal\", \"attributes\": {}}}'", 2, "is unknown");
  fails("ask " + url +
            " -s t --space '{\"x\": {\"name\": \"FloatDistribution\", \"attributes\": {\"low\": 2, "
            "\"high\": 1}}}'",
        2, "low 2 is above high 1");
  fails("ask " + url + " -s t --sampler best", 2, "best");
  CHECK(tune::open_storage(url)->read("t").size() == 4);  // none of these began a trial
  CHECK(output("tell " + url + " -s t --trial 3 --values 2") == "trial 3 is complete\n");

  // An enqueued value that is not in the space fails its trial, and does not come back.
  tune::Study::open(url, "t").enqueue({{"z", 7.0}}, {.unknown_names = true});
  fails("ask " + url +
            " -s t --space '{\"z\": {\"name\": \"FloatDistribution\", \"attributes\": {\"low\": 0, \"high\": 1}}}'",
        1, "the enqueued value 7");
  CHECK(ask(" -s t --sampler gp" + given)["number"] == 5);

  CHECK(ask(" -s s" + given)["number"] == 0);
  CHECK(output("tell " + url + " -s s --trial 0 --values 1,2") == "trial 0 is complete\n");
}

TEST_CASE("xgrad-tune: a trial that a worker holds is not told by another process") {
  const TemporaryDirectory directory;
  const std::string url = "sqlite:" + directory.path("s.db");
  auto study = tune::Study::open(url, "s");
  auto trial = std::make_optional(study.ask());
  const std::string tell = "tell " + url + " --trial 0 --values 1";
  const Result held = run(directory, tell);
  CHECK(held.status == 1);
  CHECK_THAT(held.output, Contains("attach: another process works on trial 0"));
  CHECK_THROWS_WITH(study.attach(0), Catch::StartsWith("attach: trial 0 is held by this process already"));
  trial->report(1, 0.5);
  CHECK(study.detach(*trial) == 0);
  CHECK_THROWS_WITH(study.detach(*trial), Catch::StartsWith("detach: trial 0 has ended, or another worker took it"));
  CHECK(study.ask().number() == 1);  // the other one is nobody's to take up
  trial = study.attach(0);
  study.detach(*trial);
  CHECK(run(directory, "tell " + url + " --trial 0 --state pruned").output == "trial 0 is pruned\n");
  CHECK(study.trials().at(0).values == std::vector<double>{0.5});
  CHECK_FALSE(study.tell(*trial, 3.0));
}

#endif
