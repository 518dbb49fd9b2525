#include "storage.hpp"

#include <cstdint>
#include <new>
#include <utility>

#include "allocator.hpp"
#include "error.hpp"

namespace xgrad::detail {

Reference<Storage> Storage::make(std::size_t bytes) {
  check(bytes <= PTRDIFF_MAX - sizeof(Storage), "storage: ", bytes, " bytes are more than memory can hold");
  void* block = allocate(sizeof(Storage) + bytes);  // header and elements in one block: one allocation a tensor less
  return Reference<Storage>::adopt(new (block) Storage(bytes));
}

Reference<Storage> Storage::lent(std::shared_ptr<void> memory, std::size_t bytes) {
  auto storage = Reference<Storage>::adopt(new (allocate(sizeof(Storage))) Storage(bytes));
  storage->lent_ = std::move(memory);
  return storage;
}

void Storage::destroy(Storage* storage) noexcept {
  const std::size_t bytes = sizeof(Storage) + (storage->lent_ ? 0 : storage->bytes_);
  storage->~Storage();
  deallocate(storage, bytes);
}

}  // namespace xgrad::detail
