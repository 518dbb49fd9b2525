#include "image_folder.hpp"

#include <algorithm>
#include <filesystem>

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../data/sample_generator.hpp"
#include "../data/transforms.hpp"
#include "../ops/slicing.hpp"

namespace xgrad::data {

namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 'a' - 'A');
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

/// f(), where what the file system refuses is an Error.
template <class F>
auto reading(const std::string& directory, const F& f) {
  try {
    return f();
  } catch (const fs::filesystem_error& error) {
    fail("ImageFolder: ", directory, ": ", error.code().message());
  }
}

std::vector<std::string> folders(const std::string& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> pictures(const std::string& folder) {
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && is_picture(entry.path())) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

ImageFolder::ImageFolder(const std::string& directory, const ImageFolderOptions& options) : options_(options) {
  auto files = std::make_shared<Files>();
  files->classes = reading(directory, [&] { return folders(directory); });
  check(!files->classes.empty(), "ImageFolder: ", directory,
        " has no folders; the pictures of each class lie in a folder of the class's name");
  for (std::size_t label = 0; label < files->classes.size(); ++label) {
    const std::string folder = directory + '/' + files->classes[label];
    const std::vector<std::string> paths = reading(folder, [&] { return pictures(folder); });
    check(!paths.empty(), "ImageFolder: ", folder, " has no pictures, files that end in .png, .jpg or .jpeg");
    for (const std::string& path : paths) files->samples.push_back({path, static_cast<std::int64_t>(label)});
  }
  files_ = std::move(files);
}

Tensor ImageFolder::picture(const Epoch& epoch, std::int64_t index) const {
  const std::string& path = files_->samples[static_cast<std::size_t>(index)].path;
  const Tensor read = ToFloat()(image::read(path, {.mode = options_.mode, .max_pixels = options_.max_pixels}));
  if (!transform_) return read;
  Generator generator = sample_generator(epoch, index, Draws::transform);
  const Tensor changed = transform_(read, generator);
  check(changed.defined(), "ImageFolder: the transform gave an undefined tensor for ", path);
  return changed;
}

Batch ImageFolder::batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const {
  const NoGrad no_grad;
  check_indices("ImageFolder", indices, size());
  const Tensor first = picture(epoch, indices.empty() ? 0 : indices[0]);  // of nothing it tells the shape
  Shape shape = first.shape();
  shape.insert(0, static_cast<std::int64_t>(indices.size()));
  Batch batch{empty(shape, {.dtype = first.dtype()}), empty({shape[0]}, {.dtype = int64})};
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto& [path, label] = files_->samples[static_cast<std::size_t>(indices[i])];
    const Tensor x = i == 0 ? first : picture(epoch, indices[i]);
    check(x.shape() == first.shape() && x.dtype() == first.dtype(), "ImageFolder: ", path, " has shape ", x.shape(),
          ", ", files_->samples[static_cast<std::size_t>(indices[0])].path, " ", first.shape(),
          "; make them one size by a transform, such as data::Resize({224, 224})");
    select(batch.x, 0, static_cast<std::int64_t>(i)).copy_(x);
    batch.y.data<std::int64_t>()[i] = label;
  }
  return batch;
}

}  // namespace xgrad::data
