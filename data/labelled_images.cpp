#include "labelled_images.hpp"

#include <algorithm>
#include <filesystem>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "../io/file.hpp"

namespace xgrad::data {

namespace {

std::string find_file(const char* op, const std::string& directory, const std::string& name) {
  const std::string plain = directory + '/' + name, packed = plain + ".gz";
  if (std::filesystem::exists(plain)) return plain;
  check(std::filesystem::exists(packed), op, ": ", directory, " has neither ", name, " nor ", name, ".gz");
  return packed;
}

}  // namespace

std::shared_ptr<const LabelledImages> read_images(const char* op, const std::string& directory, bool train) {
  const std::string prefix = train ? "train" : "t10k";
  const std::string image_file = find_file(op, directory, prefix + "-images-idx3-ubyte");
  const std::string label_file = find_file(op, directory, prefix + "-labels-idx1-ubyte");
  auto read = std::make_shared<LabelledImages>();
  read->images = read_idx(image_file);
  read->labels = read_idx(label_file);

  const Shape& images = read->images.shape;
  const Shape& labels = read->labels.shape;
  check(images.size() == 3, op, ": ", image_file, ": shape ", images, ", expected images (N, H, W)");
  check(labels.size() == 1, op, ": ", label_file, ": shape ", labels, ", expected labels (N,)");
  check(images[0] == labels[0], op, ": ", images[0], " images in ", image_file, ", but ", labels[0], " labels in ",
        label_file);
  for (std::size_t i = 0; i < read->labels.values.size(); ++i)
    check(read->labels.values[i] < 10, op, ": ", label_file, ": label ", i, " is ", read->labels.values[i],
          ", expected 0 to 9");
  return read;
}

std::shared_ptr<const LabelledImages> read_records(const char* op, const std::vector<std::string>& files,
                                                   std::size_t labels, std::size_t label, int classes,
                                                   const Shape& image) {
  const auto pixels = static_cast<std::size_t>(image.numel()), record = labels + pixels;
  auto read = std::make_shared<LabelledImages>();
  for (const std::string& file : files) {
    const std::string bytes = io::read_file(file);
    check(bytes.size() % record == 0, op, ": ", file, ": ", bytes.size(), " bytes are no whole number of records of ",
          record);
    for (std::size_t at = 0; at < bytes.size(); at += record) {
      const auto value = static_cast<std::uint8_t>(bytes[at + label]);
      check(value < classes, op, ": ", file, ": label ", at / record, " is ", value, ", expected 0 to ", classes - 1);
      read->labels.values.push_back(value);
      read->images.values.insert(read->images.values.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at + labels),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(at + record));
    }
  }
  read->labels.shape = static_cast<std::int64_t>(read->labels.values.size());
  read->images.shape = image;
  read->images.shape.insert(0, read->labels.shape[0]);
  return read;
}

Batch make_batch(const char* op, const LabelledImages& set, std::span<const std::int64_t> indices) {
  check_indices(op, indices, set.labels.shape[0]);
  const auto count = static_cast<std::int64_t>(indices.size());
  Shape shape = set.images.shape;
  if (shape.size() == 3) shape.insert(1, 1);
  shape[0] = count;
  const std::int64_t pixels = shape[1] * shape[2] * shape[3];
  Batch batch{detail::empty(shape, float32), detail::empty({count}, int64)};

  const std::uint8_t* images = set.images.values.data();
  float* x = batch.x.data<float>();
  parallel_for(count, 64, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      // Images in random order come from memory; the next one is on its way while this one is converted.
      const std::uint8_t* next = images + indices[static_cast<std::size_t>(std::min(i + 1, end - 1))] * pixels;
      for (std::int64_t j = 0; j < pixels; j += 64) __builtin_prefetch(next + j);
      const std::uint8_t* from = images + indices[static_cast<std::size_t>(i)] * pixels;
      float* to = x + i * pixels;
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t j = 0; j < pixels; ++j) to[j] = static_cast<float>(from[j]) / 255.0f;
      });
    }
  });
  std::int64_t* y = batch.y.data<std::int64_t>();
  for (const std::int64_t index : indices) *y++ = set.labels.values[static_cast<std::size_t>(index)];
  return batch;
}

}  // namespace xgrad::data
