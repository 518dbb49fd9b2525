// What a SummaryWriter writes, as TensorBoard reads it and line by line.

#include <xgrad/array/profile.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/io/append_file.hpp>
#include <xgrad/io/file.hpp>
#include <xgrad/nn/activation.hpp>
#include <xgrad/nn/attention.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/nn/module_paths.hpp>
#include <xgrad/nn/recurrent.hpp>
#include <xgrad/nn/sequential.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/convolution.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/train/profile_summary.hpp>
#include <xgrad/train/run_page.hpp>
#include <xgrad/train/summary_writer.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../fault_injection.hpp"
#include "../python.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using nlohmann::json;

namespace {

// The data in a page.
json data_of(const std::string& page) {
  const std::string before = "<script type=\"application/json\" id=\"data\">";
  const auto begin = page.find(before) + before.size();
  return json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

json page_of(const std::vector<std::string>& runs, const TemporaryDirectory& directory) {
  train::write_run_page(runs, directory.path("page.html"));
  return data_of(io::read_file(directory.path("page.html")));
}

/// What the script prints last, after warnings of packages.
json read_by_tensorboard(const std::string& run) {
  const std::string printed = run_python("train/read_events.py " + run);
  return json::parse(printed.substr(printed.rfind('\n', printed.size() - 2) + 1));
}

}  // namespace

TEST_CASE("SummaryWriter: TensorBoard reads what was written") {
  if (!has_python_package("tensorboard")) return;
  const TemporaryDirectory directory;
  const std::string run = directory.path("runs/first");
  {
    train::SummaryWriter writer(run);
    for (int step = 0; step < 300; ++step) writer.add_scalar("loss/train", 1.0 / (1 + step), step);
    writer.add_histogram("weight", tensor({-1.0, 0.0, 0.5, 3.0}), 7, 4);
    writer.add_image("gray", tensor({{0.0, 1.0}, {0.5, 2.0}}), 1);
    writer.add_image("colour", ones({2, 3, 1, 1}, {.dtype = uint8}), 2);
    writer.add_text("note", "**bold** \xc3\xa4", 3);
    writer.add_pr_curve("curve", tensor({true, false, true, false}), tensor({0.9, 0.6, 0.5, 0.1}), 4, 5);
    writer.add_hparams({{"lr", 0.5}, {"batch_size", 64}, {"nesterov", true}, {"optimizer", "sgd"}},
                       {{"accuracy", 0.75}});
    nn::Sequential net(nn::Linear(2, 3), nn::Tanh(), nn::Linear(3, 1, {.bias = false}));
    writer.add_graph(net, net(ones({4, 2})));
    CHECK_THROWS_WITH(writer.add_graph(net, ones({4, 2})),
                      Catch::StartsWith("add_graph: the tensor of shape (4, 2) does not require a gradient"));
  }
  const json read = read_by_tensorboard(run);
  json graph = read["graph"];
  std::sort(graph.begin(), graph.end());
  CHECK(graph == json::parse(R"([["0/bias", "Parameter", [], [[3]]],
      ["0/linear", "linear", ["0/weight", "0/bias"], [[4, 3]]], ["0/weight", "Parameter", [], [[3, 2]]],
      ["2/linear", "linear", ["tanh", "2/weight"], [[4, 1]]], ["2/weight", "Parameter", [], [[1, 3]]],
      ["tanh", "tanh", ["0/linear"], [[4, 3]]]])"));
  REQUIRE(read["scalars"]["loss/train"].size() == 300);
  CHECK(read["scalars"]["loss/train"][299] == json({299, 1.0f / 300}));
  CHECK(read["histograms"]["weight"][0] ==
        json({7, -1.0, 3.0, 4.0, 2.5, 10.25, {0.0, 1.0, 2.0, 3.0}, {1.0, 2.0, 0.0, 1.0}}));
  CHECK(read["images"]["gray"][0] == json({1, 2, 2, {"L", {0, 255, 128, 255}}}));
  // Two pictures of one pixel side by side, a line of black after each.
  CHECK(read["images"]["colour"][0][3][0] == "RGB");
  CHECK(read["images"]["colour"][0][3][1] ==
        json({{1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}}));
  CHECK(read["texts"]["note"] == "**bold** \xc3\xa4");
  // As torch.utils.tensorboard.summary.compute_curve has it.
  CHECK(read["curves"]["curve"][0] == 5);
  CHECK(read["curves"]["curve"][1] == json({{2.0, 2.0, 2.0, 1.0, 0.0},
                                            {2.0, 1.0, 1.0, 0.0, 0.0},
                                            {0.0, 1.0, 1.0, 2.0, 2.0},
                                            {0.0, 0.0, 0.0, 1.0, 2.0},
                                            {0.5, 2.0f / 3, 2.0f / 3, 1.0, 0.0},
                                            {1.0, 1.0, 1.0, 0.5, 0.0}}));
  CHECK(read["hparams"] == json({{"lr", 0.5}, {"batch_size", 64.0}, {"nesterov", true}, {"optimizer", "sgd"}}));
  CHECK(read["metrics"] == json({"accuracy"}));
  CHECK(read["scalars"]["accuracy"][0] == json({299, 0.75}));  // behind what was added before
}

TEST_CASE("SummaryWriter: a run that was stopped goes on in the same files") {
  const TemporaryDirectory directory;
  const std::string run = directory.path("run");
  {
    train::SummaryWriter writer(run);
    for (int step = 0; step < 10; ++step) writer.add_scalar("a,\"b\"", step, step);
  }
  CHECK(io::read_file(run + "/scalars.csv").starts_with("step,time,tag,value\n0,"));
  CHECK_THAT(io::read_file(run + "/scalars.csv"), Contains(",\"a,\"\"b\"\"\",9\n"));
  // Killed in the middle of a line.
  const std::string whole = io::read_file(run + "/log.jsonl");
  io::atomic_write(run + "/log.jsonl", whole + "{\"step\":10,\"ti");
  train::SummaryWriter writer(run, {.purge_step = 8, .events = false});
  writer.add_scalar("a,\"b\"", 100, 8);
  writer.flush();
  CHECK(io::read_file(run + "/log.jsonl").starts_with(whole + "{\"purge_step\":8}\n{\"step\":8,"));
  const json curve = page_of({run}, directory)["runs"][0]["value"]["a,\"b\""];
  CHECK(curve["steps"] == json({0, 1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK(curve["means"].back() == 100);
  if (!has_python_package("tensorboard")) return;
  train::SummaryWriter(run, {.purge_step = 5}).add_scalar("a,\"b\"", 50, 5);
  const json read = read_by_tensorboard(run);
  CHECK(read["scalars"]["a,\"b\""].size() == 6);
  CHECK(read["scalars"]["a,\"b\""].back() == json({5, 50.0}));
}

TEST_CASE("SummaryWriter: what cannot be written is an error, and is tried again") {
  const TemporaryDirectory directory;
  train::SummaryWriter writer(directory.path("run"), {.events = false});
  writer.add_scalar("loss", 1, 1);
  CHECK(!with_fault(Fault::error, 1, ENOSPC, [&] { writer.flush(); }));
  writer.add_scalar("loss", 2, 2);
  CHECK(with_fault(Fault::short_write, 0, 0, [&] { writer.flush(); }));
  CHECK(page_of({directory.path("run")}, directory)["runs"][0]["value"]["loss"]["means"] == json({1, 2}));

  CHECK_THROWS_WITH(train::SummaryWriter("/proc/none/run"), Contains("/proc/none/run"));
  CHECK_THROWS_WITH(writer.add_image("i", ones({2, 5, 5}), 1), Contains("with 1 or 3 channels, not (2, 5, 5)"));
  CHECK_THROWS_WITH(writer.add_image("i", ones({1, 0, 5}), 1), Contains("has no pixels"));
  CHECK_THROWS_WITH(writer.add_image("i", ones({5, 5}, {.dtype = int64}), 1), Contains("not int64"));
  CHECK_THROWS_WITH(writer.add_histogram("h", ones({5}), 1, 0), Contains("bins must be from 1"));
  CHECK_THROWS_WITH(writer.add_pr_curve("c", ones({5}), ones({4}), 1), Contains("5 labels and 4 predictions"));
  CHECK_THROWS_WITH(writer.add_pr_curve("c", ones({1}), full({1}, 1.5), 1), Contains("from 0 to 1, not 1.5"));
  CHECK_THROWS_WITH(writer.add_pr_curve("c", full({1}, 2.0), ones({1}), 1), Contains("labels are 0 or 1, not 2"));
}

TEST_CASE("write_run_page: one page of several runs, which loads nothing") {
  const TemporaryDirectory directory;
  const std::string first = directory.path("<!--"), second = directory.path("second");
  {
    train::SummaryWriter a(first, {.events = false}), b(second, {.events = false});
    for (int step = 0; step < 5000; ++step) a.add_scalar("loss", step % 2, step);
    b.add_scalar("loss", std::numeric_limits<double>::quiet_NaN(), 1);
    b.add_histogram("none", full({3}, std::numeric_limits<double>::infinity()), 1);
    for (int step = 0; step < 100; ++step) b.add_text("text", "<b>" + std::to_string(step), step);
    b.add_hparams({{"lr", 1e-3}, {"name", "</script>"}});
    nn::Linear net(2, 2);
    sum(net(ones({1, 2}))).backward();
    b.add_norms(net, 1);
    b.add_histograms(net, 1);
    b.add_system(1);
    b.add_system(3);
  }
  const json data = page_of({first, second + "/"}, directory);
  const std::string page = io::read_file(directory.path("page.html"));
  for (const char* outside : {"src=", "href=", "@import", "url(", "fetch(", "https:", "innerHTML"}) {
    CAPTURE(outside);
    CHECK(page.find(outside) == std::string::npos);
  }
  const json &a = data["runs"][0], &b = data["runs"][1];
  CHECK(a["name"] == "<!--");
  CHECK(b["name"] == "second");
  const json& loss = a["value"]["loss"];
  REQUIRE(loss["steps"].size() == 1000);
  CHECK(loss["steps"].back() == 4999);
  CHECK(loss["lows"][0] == 0);
  CHECK(loss["highs"][0] == 1);
  CHECK(b["value"]["loss"]["means"][0].is_null());
  CHECK(b["histogram"]["none"][0]["content"]["counts"] == json(std::vector<int>(64, 0)));
  CHECK(b["text"]["text"].size() == 50);
  CHECK(b["text"]["text"].back()["content"] == "<b>99");
  CHECK(b["config"] == json({{"lr", 1e-3}, {"name", "</script>"}}));
  CHECK(b["value"]["gradient_norm/weight"]["means"][0] == 2);
  CHECK(b["histogram"].contains("gradient/bias"));
  CHECK(b["value"]["system/memory_MB"]["means"][0] > 1);
  CHECK(b["value"]["system/milliseconds_a_step"]["steps"] == json({3}));

  CHECK(a["profile"].is_null());

  CHECK_THROWS_WITH(train::write_run_page({directory.path("none")}, directory.path("page.html")),
                    Contains("none/log.jsonl: No such file"));
  io::atomic_write(second + "/log.jsonl", "{\"step\":1,\"time\":0,\"tag\":\"a\",\"value\":1}\n{\"st\n");
  CHECK_THROWS_WITH(page_of({second}, directory), Contains("log.jsonl: line 2: "));
}

TEST_CASE("Profile: its trace is summed up by operation and by line, and shown in the page") {
  const TemporaryDirectory directory;
  const std::string trace = directory.path("trace.json");
  const nn::Linear net(3, 5);
  const Tensor x = ones({4, 3}), images = ones({2, 1, 6, 6}), kernel = ones({3, 1, 2, 2}, {.requires_grad = true});
  {
    const Profile profile(trace);
    sum(net(x)).backward();
    sum(net(x)).backward();
    sum(conv2d(images, kernel)).backward();
  }
  const auto row_of = [](const std::vector<train::ProfileRow>& rows, const std::string& name) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& each) { return each.operation == name; });
    REQUIRE(row != rows.end());
    return *row;
  };
  const auto rows = train::profile_rows(trace);
  CHECK(row_of(rows, "linear").calls == 2);
  CHECK(row_of(rows, "linear").bytes == 2 * 20 * 4);
  CHECK(row_of(rows, "linear").flops == 2 * 2 * 4 * 3 * 5);
  CHECK(row_of(rows, "linear backward").flops == 2 * 2 * 4 * 3 * 5);  // of the weight alone
  CHECK(row_of(rows, "conv2d").flops == 2 * (2 * 3 * 5 * 5) * 4);
  CHECK(row_of(rows, "conv2d backward").flops == 2 * (2 * 3 * 5 * 5) * 4);
  CHECK(row_of(rows, "sum").flops == 0);
  for (const auto& row : rows) CHECK(row.milliseconds >= 0);
  CHECK(train::profile_rows(trace, train::ProfileBy::line).size() > rows.size());
  CHECK_THAT(train::profile_table(trace, train::ProfileBy::line), Contains("test_summary_writer.cpp:"));
  CHECK(train::profile_table(trace).starts_with("operation "));

  std::filesystem::create_directory(directory.path("run"));
  train::SummaryWriter(directory.path("run"), {.events = false}).add_scalar("a", 1, 1);
  std::filesystem::rename(trace, directory.path("run/trace.json"));
  const json profile = page_of({directory.path("run")}, directory)["runs"][0]["profile"];
  CHECK(profile["bars"].size() >= 9);
  CHECK(profile["rows"].size() >= 6);
  CHECK(profile["modules"][0][1] == "");  // the Profile was given none

  CHECK_THROWS_WITH(train::profile_rows(trace), Contains("trace.json: No such file"));
  CHECK_THROWS_WITH(train::profile_rows(directory.write("no", "{}")), Contains("no: no trace of a Profile"));
}

namespace {

struct Block {
  nn::Linear fc1{4, 6}, fc2{6, 4};
  Tensor operator()(const Tensor& x) const { return fc2(relu(fc1(x))) + x; }
};
struct Net {
  nn::Embedding embed{10, 4};
  nn::Sequential layers{Block{}, nn::ReLU(), Block{}};
  nn::LSTM lstm{4, 3};
  nn::MultiheadAttention attention{4, 2};
  Tensor operator()(const Tensor& x) const { return mean(lstm(attention(layers(embed(x)))).output); }
};

}  // namespace

TEST_CASE("Profile: operations and their backward by module") {
  const TemporaryDirectory directory;
  const std::string trace = directory.path("trace.json");
  const Net net;
  const Tensor x = tensor({{1, 2, 3}});
  net(x).backward();  // its operations are not seen, their places in memory serve again
  {
    const Profile profile(trace, nn::module_paths(net));
    net(x).backward();
    const nn::Linear other(2, 2);
    (void)other(ones({1, 2}));
  }
  std::map<std::pair<std::string, std::string>, train::ProfileRow> rows;
  for (const auto& row : train::profile_rows(trace, train::ProfileBy::module)) rows[{row.module, row.operation}] = row;
  for (const char* module : {"embed", "layers.0", "layers.0.fc1", "layers.0.fc2", "layers.1", "layers.2",
                             "layers.2.fc1", "layers.2.fc2", "lstm", "attention", "attention.out_proj"})
    for (const char* pass : {"forward", "backward"}) {
      INFO(module << ' ' << pass);
      CHECK(rows.contains({module, pass}));
    }
  const auto fc1 = rows[{"layers.2.fc1", "forward"}];
  CHECK(fc1.calls == 1);
  CHECK(fc1.bytes == 3 * 6 * 4);
  CHECK(fc1.flops == 2 * 3 * 4 * 6);
  CHECK(rows[{"layers.2.fc1", "backward"}].flops == 2 * fc1.flops);
  CHECK(rows[{"layers.0", "forward"}].calls == 2);  // relu and the sum
  CHECK(rows[{"", "forward"}].flops == 2 * 2 * 2);  // of the module that it does not know
  std::int64_t calls = 0, all = 0;
  for (const auto& [key, row] : rows) calls += row.calls;
  for (const auto& row : train::profile_rows(trace))
    if (row.operation != "copy") all += row.calls;
  CHECK(calls == all);
  CHECK_THAT(train::profile_table(trace, train::ProfileBy::module), Contains("layers.2.fc1"));

  const nn::Linear alone(2, 2);
  CHECK(nn::module_paths(alone).at(&alone.weight) == "Linear");
}
