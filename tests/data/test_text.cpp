#include <xgrad/autograd/create.hpp>
#include <xgrad/data/byte_text.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/sequences.hpp>
#include <xgrad/data/tensor_dataset.hpp>
#include <xgrad/data/windows.hpp>

#include <set>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Numbers = std::vector<std::int64_t>;

namespace {

Numbers numbers(const Tensor& x) { return x.to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("Windows: consecutive windows, and the tokens one further on") {
  const data::Windows windows(arange(10, {.dtype = int16}), 3);
  CHECK(windows.size() == 3);
  const data::Batch batch = windows.batch(Numbers{2, 0});
  CHECK(batch.x.dtype() == int64);
  CHECK(batch.x.shape() == Shape{2, 3});
  CHECK(numbers(batch.x) == Numbers{6, 7, 8, 0, 1, 2});
  CHECK(numbers(batch.y) == Numbers{7, 8, 9, 1, 2, 3});
  CHECK(data::Windows(arange(9, {.dtype = int64}), 3).size() == 2);  // the last token has nothing after it
  CHECK(data::Windows(arange(10, {.dtype = int64}), 3, {.stride = 1}).size() == 7);
  CHECK(numbers(data::Windows(arange(10, {.dtype = int64}), 3, {.stride = 2}).batch(Numbers{3}).y) == Numbers{7, 8, 9});
  CHECK(data::Windows(arange(3, {.dtype = int64}), 3).size() == 0);
  CHECK(data::Windows(arange(0, {.dtype = int64}), 1).size() == 0);
  CHECK(windows.batch(Numbers{}).x.shape() == Shape{0, 3});
  CHECK_THROWS_WITH(windows.batch(Numbers{3}), Catch::StartsWith("Windows: sample 3 is out of range for 3 samples"));
  CHECK_THROWS_WITH(data::Windows(ones({4}), 2), Catch::StartsWith("Windows: tokens are integers of shape (n,)"));
  CHECK_THROWS_WITH(data::Windows(Tensor(), 2), Catch::StartsWith("Windows: tokens are integers of shape (n,)"));
  CHECK_THROWS_WITH(data::Windows(arange(4, {.dtype = int64}), 0), Catch::StartsWith("Windows: a window of 0 tokens"));
  CHECK_THROWS_WITH(data::Windows(arange(4, {.dtype = int64}), 2, {.stride = -1}),
                    Catch::StartsWith("Windows: stride -1 is negative"));
}

TEST_CASE("RandomWindows: every place occurs, other ones in every epoch, the same by any number of workers") {
  const data::RandomWindows windows(arange(20, {.dtype = int64}), 4, {.count = 300});
  const auto epoch = [&](std::int64_t workers, std::int64_t number) {
    data::DataLoader loader(windows, {.batch_size = 7, .seed = 3, .workers = workers});
    loader.set_epoch(number);
    Numbers first;
    for (const auto& [x, y] : loader) {
      const Numbers from = numbers(x), to = numbers(y);
      for (std::size_t i = 0; i < from.size(); ++i) {
        CHECK(to[i] == from[i] + 1);
        if (i % 4 == 0) first.push_back(from[i]);
      }
    }
    return first;
  };
  const Numbers begins = epoch(0, 0);
  CHECK(begins.size() == 300);
  CHECK(std::set<std::int64_t>(begins.begin(), begins.end()).size() == 16);
  CHECK(epoch(2, 0) == begins);
  CHECK(epoch(0, 1) != begins);
  CHECK_THROWS_WITH(data::RandomWindows(arange(4, {.dtype = int64}), 4),
                    Catch::StartsWith("RandomWindows: 4 tokens have no"));
  CHECK_THROWS_WITH(data::RandomWindows(arange(5, {.dtype = int64}), 4, {.count = -1}),
                    Catch::StartsWith("RandomWindows: count -1 is negative"));
}

TEST_CASE("ByteText: the bytes of a file as tokens") {
  const TemporaryDirectory directory;
  const data::ByteText text(directory.write("text", std::string("h\xc3\xa9\0x", 5)));
  CHECK(text.size() == 5);
  CHECK(text.tokens().dtype() == uint8);
  CHECK(numbers(text.part(1, 3).tokens().to(int64)) == Numbers{0xc3, 0xa9});
  CHECK(text.windows(2).size() == 2);
  CHECK(text.random_windows(2, {.count = 9}).size() == 9);
  CHECK(numbers(text.encode("a\xff")) == Numbers{97, 255});
  CHECK(text.decode(text.encode("a\xff\n")) == "a\xff\n");
  CHECK_THROWS_WITH(text.decode(tensor({256})), Catch::StartsWith("ByteText: token 256 is no byte"));
  CHECK_THROWS_WITH(text.part(3, 6), Catch::StartsWith("ByteText: bytes 3 to 6 of 5"));
  CHECK_THROWS_WITH(data::ByteText(directory.write("empty", "")), Catch::Contains("empty is empty"));
  CHECK_THROWS_WITH(data::ByteText(directory.path("none")), Catch::StartsWith("ByteText: " + directory.path("none")));
  CHECK_THROWS_WITH(data::ByteText::of(""), Catch::StartsWith("ByteText: the text is empty"));
}

TEST_CASE("pad_sequence: brings all to the longest, or to a length") {
  const Tensor padded =
      data::pad_sequence({tensor({1, 2, 3}), tensor({4}), arange(0, {.dtype = int64})}, {.padding_value = -1});
  CHECK(padded.shape() == Shape{3, 3});
  CHECK(numbers(padded) == Numbers{1, 2, 3, 4, -1, -1, -1, -1, -1});
  CHECK(data::pad_sequence({ones({2, 5}), ones({1, 5})}, {.length = 4}).shape() == Shape{2, 4, 5});
  CHECK_THROWS_WITH(data::pad_sequence({}), Catch::StartsWith("pad_sequence: no sequences"));
  CHECK_THROWS_WITH(data::pad_sequence({ones({3})}, {.length = 2}),
                    Catch::StartsWith("pad_sequence: a sequence of 3 is longer than 2"));
  CHECK_THROWS_WITH(data::pad_sequence({ones({3}), ones({3, 1})}), Catch::Contains("differ in more than their length"));
  CHECK_THROWS_WITH(data::pad_sequence({ones({}), ones({1})}), Catch::Contains("a tensor with an axis for its length"));
}

TEST_CASE("Sequences and Buckets: batches of about the same length, each sample once an epoch") {
  std::vector<Tensor> x, y;
  for (std::int64_t i = 0; i < 50; ++i) {
    x.push_back(full({1 + (i * 7) % 20}, i + 1, {.dtype = int64}));
    y.push_back(full({}, i, {.dtype = int64}));
  }
  const data::Sequences sequences(x, y);
  CHECK(sequences.batch(Numbers{0, 1}).x.shape() == Shape{2, 8});
  CHECK(sequences.batch(Numbers{0, 1}).y.shape() == Shape{2});
  CHECK(data::Sequences(x, x).batch(Numbers{0, 1}).y.to_vector<std::int64_t>()[1] == -100);

  const data::Buckets buckets(sequences, sequences.lengths(), {.batch_size = 8});
  CHECK(buckets.size() == 7);
  std::int64_t padding = 0;
  data::DataLoader loader(buckets, {.shuffle = true, .seed = 1, .workers = 1});
  Numbers orders[2];
  for (Numbers& order : orders) {
    for (const auto& [batch, target] : loader) {
      for (const std::int64_t token : numbers(batch)) padding += token == 0;
      for (const std::int64_t number : numbers(target)) order.push_back(number);
    }
    CHECK(order.size() == 50);
    CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 50);
  }
  CHECK(orders[0] != orders[1]);
  CHECK(padding < 2 * 150);  // shuffled alone some 400 an epoch
  CHECK_THROWS_WITH(data::Buckets(sequences, {1, 2}), Catch::StartsWith("Buckets: 2 lengths of 50 samples"));
  CHECK_THROWS_WITH(data::Buckets(sequences, sequences.lengths(), {.batch_size = 0}),
                    Catch::StartsWith("Buckets: batch_size 0"));
  CHECK_THROWS_WITH(data::Sequences(x, {}), Catch::StartsWith("Sequences: 50 inputs and 0 targets"));
}
