#pragma once
// A data set of picture files in one folder for each class. Part of xgrad::image.

#include <functional>
#include <string>
#include <vector>

#include "../data/mapped.hpp"
#include "image.hpp"

namespace xgrad::data {

struct ImageFolderOptions {
  image::Mode mode = image::Mode::rgb;
  std::int64_t max_pixels = 100'000'000;  // what a file says to have more of is refused (see image::ReadOptions)
};

/// The PNG and JPEG files under `directory/CLASS/`, in folders inside these too: images as float32 (N, C, H, W) in
/// [0, 1], and the number of their class as int64 (N,). Classes are the folders, and samples the files of each class,
/// sorted by name (bytewise), as torchvision's ImageFolder sorts them. Files of other endings are passed over. Each is
/// read when it is asked for; what follows, a function as map() takes it, makes them one size, and what it draws
/// depends on seed, epoch and number of the sample alone:
///
///     const data::ImageFolder train(directory, data::compose(data::Resize(256), data::CenterCrop(224)));
///     data::DataLoader loader(train, {.batch_size = 32, .shuffle = true, .workers = 2});
class ImageFolder final : public Dataset {
 public:
  /// Throws Error for a directory that is missing or has no folders, and for a folder without pictures.
  explicit ImageFolder(const std::string& directory, const ImageFolderOptions& options = {});
  template <Transform F>
  ImageFolder(const std::string& directory, F transform, const ImageFolderOptions& options = {})
      : ImageFolder(directory, options) {
    transform_ = [f = std::move(transform)](const Tensor& x, Generator& generator) {
      return transformed(f, x, generator);
    };
  }

  struct Sample {
    std::string path;
    std::int64_t label;
  };

  std::int64_t size() const override { return static_cast<std::int64_t>(files_->samples.size()); }
  /// As in epoch 0 of seed 0.
  Batch batch(std::span<const std::int64_t> indices) const override { return batch_of({}, indices); }
  /// Throws Error for a file that cannot be read, and where pictures are not of one size.
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<ImageFolder>(*this); }

  /// Names of the classes, in the order of their numbers.
  const std::vector<std::string>& classes() const { return files_->classes; }
  const std::vector<Sample>& samples() const { return files_->samples; }

 private:
  struct Files {
    std::vector<std::string> classes;
    std::vector<Sample> samples;
  };
  Tensor picture(const Epoch& epoch, std::int64_t index) const;

  std::shared_ptr<const Files> files_;
  ImageFolderOptions options_;
  Mapped::Function transform_;  // none for pictures as they are
};

}  // namespace xgrad::data
