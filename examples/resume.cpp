// Trainings that are killed again and again, at random moments, and go on where they were: they end with the same
// weights, bit for bit, as those that were left alone. Random crops by several workers, dropout, a schedule, and
// checkpoints that are written while the training goes on.
//   resume [--kills N] [--epochs N] [--images N] [--workers N] [--seed N] [--data DIRECTORY]
#include <xgrad/data/transforms.hpp>
#include <xgrad/io/file.hpp>
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

using namespace xgrad;

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string directory, part;  // `part`: the file of the training that this process is
  std::int64_t kills = 5, epochs = 3, images = 2000, workers = 4;
  std::uint64_t seed = 0;
};

struct Net {
  nn::Conv2d conv{1, 8, 3, {.stride = 2, .padding = 1}};
  nn::BatchNorm2d norm{8};
  nn::Dropout dropout{0.3};
  nn::Linear out{8 * 14 * 14, 10};

  Tensor operator()(const Tensor& x) { return out(dropout(flatten(relu(norm(conv(x))), 1))); }
};

/// Trains to the end, from where a process before it came; then writes the weights.
void train_part(const Options& options) {
  set_num_threads(1);
  manual_seed(options.seed);
  const std::string directory = options.directory.empty() ? data::fashion_mnist_directory() : options.directory;
  std::vector<std::int64_t> first(static_cast<std::size_t>(options.images));
  std::iota(first.begin(), first.end(), 0);
  const auto images = data::map(data::Subset(data::FashionMNIST(directory, {.train = true}), first),
                                data::compose(data::RandomCrop(28, {.padding = 2}), data::RandomHorizontalFlip()));
  data::DataLoader loader(images,
                          {.batch_size = 32, .shuffle = true, .seed = options.seed, .workers = options.workers});
  Net net;
  optim::AdamW adam(net, {.lr = 3e-3});
  optim::OneCycleLR schedule(adam, {.max_lr = 3e-3, .total_steps = options.epochs * loader.size()});
  train::Checkpoint checkpoint(options.part + ".checkpoint", {.keep_last = 2, .asynchronous = true}, net, adam,
                               schedule, loader);
  checkpoint.restore_if_there();
  for (std::int64_t epoch = loader.epoch(); epoch < options.epochs; ++epoch)
    for (const auto& [x, y] : loader) {
      adam.zero_grad();
      cross_entropy(net(x), y).backward();
      adam.step();
      schedule.step();
      checkpoint.save_every(std::chrono::milliseconds(20));
    }
  checkpoint.wait();
  save(net, options.part + ".weights");
}

pid_t start(const Options& options, const std::string& part) {
  std::vector<std::string> words{"resume",
                                 "--part",
                                 part,
                                 "--epochs",
                                 std::to_string(options.epochs),
                                 "--images",
                                 std::to_string(options.images),
                                 "--workers",
                                 std::to_string(options.workers),
                                 "--seed",
                                 std::to_string(options.seed)};
  if (!options.directory.empty()) words.insert(words.end(), {"--data", options.directory});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ);
  check(error == 0, "resume: cannot start a process: error ", error);
  return child;
}

/// Whether the process came to its end by itself, and well.
bool wait_for(pid_t child) {
  int status = 0;
  check(::waitpid(child, &status, 0) == child, "resume: lost a process");
  check(!WIFEXITED(status) || WEXITSTATUS(status) == 0, "resume: a part of the training failed");
  return WIFEXITED(status);
}

/// Kills a training up to options.kills times, until it comes to its end, and adds to `killed` how often; true where
/// its weights are then those of the one left alone.
bool kill_and_compare(const Options& options, const std::string& directory, std::int64_t& killed) {
  const auto began = Clock::now();
  wait_for(start(options, directory + "/alone"));
  const std::chrono::duration<double> whole = Clock::now() - began;

  std::mt19937_64 random(options.seed);
  const std::int64_t before = killed;
  while (killed - before < options.kills) {
    const pid_t child = start(options, directory + "/killed");
    std::this_thread::sleep_for(whole * std::uniform_real_distribution<double>(0, 0.6)(random));
    ::kill(child, SIGKILL);
    if (wait_for(child)) break;
    ++killed;
  }
  wait_for(start(options, directory + "/killed"));
  const bool equal = io::read_file(directory + "/alone.weights") == io::read_file(directory + "/killed.weights");
  std::cout << "seed " << options.seed << ": left alone, the training takes " << whole.count() << " s; killed "
            << killed - before << " times, it ends with " << (equal ? "the same bits" : "other weights") << std::endl;
  return equal;
}

/// The same with one seed after the other, until there were so many kills.
bool kill_trainings(Options options, const std::string& directory) {
  bool equal = true;
  for (std::int64_t killed = 0, all = options.kills; killed < all && equal; ++options.seed) {
    options.kills = all - killed;
    equal = kill_and_compare(options, directory, killed);
    for (const auto& file : std::filesystem::directory_iterator(directory)) std::filesystem::remove_all(file);
  }
  return equal;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Kills a training, and shows that it ends with the same weights");
  app.add_option("--kills", options.kills, "Of one training after the other, each until it comes to its end")
      ->capture_default_str();
  app.add_option("--epochs", options.epochs)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--images", options.images)->capture_default_str()->check(CLI::Range(32, 60000));
  app.add_option("--workers", options.workers, "Threads that read and augment images ahead")->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--data", options.directory, "Where the four IDX files are");
  app.add_option("--part", options.part, "Be the training that goes on with this file")->group("");
  CLI11_PARSE(app, argc, argv);
  if (!options.part.empty()) {
    train_part(options);
    return 0;
  }
  std::string directory = (std::filesystem::temp_directory_path() / "xgrad-resume-XXXXXX").string();
  check(::mkdtemp(directory.data()) != nullptr, "resume: cannot make a directory like ", directory);
  const bool equal = kill_trainings(options, directory);
  std::filesystem::remove_all(directory);
  return equal ? 0 : 1;
} catch (const Error& error) {
  std::cerr << "resume: " << error.what() << '\n';
  return 1;
}
