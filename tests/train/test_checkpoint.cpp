#include <xgrad/data/transforms.hpp>
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <filesystem>
#include <optional>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::StartsWith;

namespace {

/// A training with everything random that there is, which ends early, as if it were killed, after some steps.
struct Training {
  std::string file;
  bool seeded;
  std::int64_t workers = 0;
  int steps_to_live = 1'000'000;

  std::vector<float> run() {
    manual_seed(1);
    const Tensor images = rand({23, 1, 6, 6}), labels = randint(0, 3, {23});
    const auto set = data::map(data::TensorDataset(images, labels),
                               data::compose(data::RandomCrop(6, {.padding = 1}), data::RandomHorizontalFlip()));
    const std::optional<std::uint64_t> seed = seeded ? std::optional<std::uint64_t>(5) : std::nullopt;
    data::DataLoader loader(set, {.batch_size = 4, .shuffle = true, .seed = seed, .workers = workers});
    nn::Sequential net(nn::Flatten(), nn::Linear(36, 8), nn::BatchNorm1d(8), nn::ReLU(), nn::Dropout(0.3),
                       nn::Linear(8, 3));
    optim::AdamW adam(net, {.lr = 0.01});
    optim::StepLR schedule(adam, {.step_size = 1, .gamma = 0.5});
    train::Checkpoint checkpoint(file, net, adam, schedule, loader);
    checkpoint.restore_if_there();
    for (std::int64_t epoch = loader.epoch(); epoch < 3; ++epoch) {
      for (const auto& [x, y] : loader) {
        adam.zero_grad();
        cross_entropy(net(x), y).backward();
        adam.step();
        checkpoint.save_every(std::chrono::seconds(0));
        if (--steps_to_live == 0) return {};
      }
      schedule.step();
    }
    std::vector<float> weights;
    for (const Tensor& parameter : nn::parameters(net)) {
      const auto values = parameter.to_vector<float>();
      weights.insert(weights.end(), values.begin(), values.end());
    }
    return weights;
  }
};

}  // namespace

TEST_CASE("Checkpoint: a training that was stopped anywhere ends with the same bits", "[threads]") {
  for (const bool seeded : {true, false}) {
    const TemporaryDirectory directory;
    const std::vector<float> whole = Training{directory.path("whole"), seeded}.run();
    REQUIRE(!whole.empty());
    for (const std::int64_t workers : {0, 2}) {
      const std::string file = directory.path("stopped" + std::to_string(workers));
      int lives = 1;
      // 6 batches an epoch: stops within epochs, and with the last batch of one.
      std::vector<float> weights = Training{file, seeded, workers, 1}.run();
      for (const int steps : {5, 2, 4, 1, 1}) {
        CHECK(weights.empty());
        weights = Training{file, seeded, workers, steps}.run();
        ++lives;
      }
      weights = Training{file, seeded, workers}.run();
      CAPTURE(seeded, workers, lives);
      CHECK(weights == whole);
    }
  }
}

TEST_CASE("Checkpoint: what does not fit is an error, and changes nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("net.checkpoint");
  manual_seed(0);
  nn::Linear small(2, 3), large(2, 4);
  optim::SGD sgd(small, {.lr = 0.1}), other(large, {.lr = 0.2});
  train::Checkpoint saved(path, small, sgd);
  CHECK_THROWS_AS(saved.restore(), Error);
  CHECK(!saved.restore_if_there());
  saved.save();
  CHECK(saved.restore_if_there());

  const auto before = large.weight.to_vector<float>();
  train::Checkpoint wrong(path, large, other);
  CHECK_THROWS_WITH(wrong.restore(),
                    StartsWith("Checkpoint: " + path + ": ") && Contains("weight") && Contains("(4, 2)"));
  CHECK(large.weight.to_vector<float>() == before);
  CHECK(other.lr() == 0.2);

  train::Checkpoint fewer(path, small);
  CHECK_THROWS_WITH(fewer.restore(), Contains("the state has `optimizer0.lr`, but no object of that kind and number"));

  // The first object fits, the second does not: both stay as they were.
  nn::Linear same(2, 3);
  optim::Adam adam(same);
  const auto own = same.weight.to_vector<float>();
  train::Checkpoint half(path, same, adam, large);
  CHECK_THROWS_AS(half.restore(), Error);
  CHECK(same.weight.to_vector<float>() == own);
}

TEST_CASE("Checkpoint: it is saved as often as asked for") {
  const TemporaryDirectory directory;
  nn::Linear net(1, 1);
  train::Checkpoint checkpoint(directory.path("often"), net);
  CHECK(!checkpoint.save_every(std::chrono::hours(1)));
  CHECK(checkpoint.save_every(std::chrono::nanoseconds(0)));
  CHECK_THROWS_WITH(train::Checkpoint("/nonexistent/net.checkpoint", net).save(), Contains("/nonexistent"));
}

TEST_CASE("Checkpoint: the last ones and the best are kept") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("net");
  nn::Linear net(1, 1, {.bias = false});
  const auto set = [&](double value) { nn::init::constant_(net.weight, value); };
  const auto value_in = [&](const std::string& file) {
    nn::Linear other(1, 1, {.bias = false});
    train::load_checkpoint(file, other);
    return other.weight.item();
  };
  train::Checkpoint checkpoint(path, {.keep_last = 3, .better = train::Better::smaller}, net);
  for (int save = 1; save <= 5; ++save) {
    set(save);
    checkpoint.save();
  }
  CHECK(value_in(path) == 5);
  CHECK(value_in(path + ".1") == 4);
  CHECK(value_in(path + ".2") == 3);
  CHECK(directory.names() == std::vector<std::string>{"net", "net.1", "net.2"});

  CHECK(!checkpoint.save_best(std::nan("")));
  CHECK(checkpoint.save_best(0.1));
  set(6);
  CHECK(!checkpoint.save_best(0.1));
  // Another process knows what was best.
  train::Checkpoint later(path, {.better = train::Better::smaller}, net);
  CHECK(!later.save_best(0.2));
  CHECK(value_in(path + ".best") == 5);
  CHECK(later.save_best(-3));
  CHECK(value_in(path + ".best") == 6);
  set(0);
  later.restore_best();
  CHECK(net.weight.item() == 6);
  CHECK_THROWS_WITH(train::Checkpoint(path, {.keep_last = 0}, net), Contains("keep_last must be at least 1, not 0"));
}

TEST_CASE("Checkpoint: a thread writes what the state was, and its errors come with the next call", "[threads]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("net");
  nn::Linear net(500, 500);
  train::Checkpoint checkpoint(path, {.asynchronous = true}, net);
  const std::vector<float> before = net.weight.to_vector<float>();
  checkpoint.save();
  nn::init::zeros_(net.weight);
  checkpoint.wait();
  checkpoint.restore();
  CHECK(net.weight.to_vector<float>() == before);

  train::Checkpoint full("/dev/full", {.asynchronous = true}, net);
  full.save();
  CHECK_THROWS_WITH(full.save(), Contains("/dev/full: No space left on device"));
  full.wait();  // it was told
  full.save();
  CHECK_THROWS_WITH(full.wait(), Contains("/dev/full"));

  train::Checkpoint nowhere(directory.path("none/net"), {.asynchronous = true}, net);
  CHECK(nowhere.save_best(1));
  CHECK_THROWS_WITH(nowhere.save_best(2), Contains("none/net.best"));
  std::filesystem::create_directory(directory.path("none"));
  CHECK(nowhere.save_best(0.5));  // the better one was not written
}

TEST_CASE("Checkpoint: of another model, the names that differ are told") {
  const TemporaryDirectory directory;
  nn::Sequential three(nn::Linear(2, 2), nn::ReLU(), nn::Linear(2, 1)), two(nn::Linear(2, 2), nn::BatchNorm1d(2));
  train::save_checkpoint(directory.path("three"), three);
  CHECK_THROWS_WITH(train::load_checkpoint(directory.path("three"), two),
                    Contains("1.running_mean") && Contains("2.weight") && Contains("2.bias"));
}
