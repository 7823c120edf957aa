// A list of byte ranges to be written at once: some borrowed from the client's bytes, some made
// here (rewritten headers, prefixes). Reused by its worker, so that a batch allocates nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace pgsteer::protocol {

class gather {
 public:
  void clear() {
    made_.clear();
    parts_.clear();
    size_ = 0;
  }
  // The bytes must stay where they are until the batch is written.
  void borrow(std::string_view bytes) {
    if (bytes.empty()) return;
    size_ += bytes.size();
    if (!parts_.empty() && parts_.back().data != nullptr &&
        parts_.back().data + parts_.back().size == bytes.data()) {
      parts_.back().size += bytes.size();
    } else {
      parts_.push_back({bytes.data(), 0, bytes.size()});
    }
  }
  void copy(std::string_view bytes) {
    begin_made();
    made_.append(bytes);
    end_made();
  }
  // Append to made() between the two calls.
  std::string& begin_made() {
    mark_ = made_.size();
    return made_;
  }
  void end_made() {
    const auto n = made_.size() - mark_;
    if (n == 0) return;
    size_ += n;
    if (!parts_.empty() && parts_.back().data == nullptr &&
        parts_.back().offset + parts_.back().size == mark_) {
      parts_.back().size += n;
    } else {
      parts_.push_back({nullptr, mark_, n});
    }
  }
  // Room for that many bytes: to be filled before anything else is added.
  [[nodiscard]] char* make(std::size_t size) {
    begin_made().resize(made_.size() + size);
    end_made();
    return made_.data() + mark_;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Valid until the next change.
  [[nodiscard]] const std::vector<iovec>& parts() {
    iov_.clear();
    for (const auto& p : parts_) {
      const char* data = p.data != nullptr ? p.data : made_.data() + p.offset;
      iov_.push_back({const_cast<char*>(data), p.size});
    }
    return iov_;
  }

 private:
  struct part {
    const char* data;  // null: in made_ at offset
    std::size_t offset;
    std::size_t size;
  };
  std::string made_;
  std::vector<part> parts_;
  std::vector<iovec> iov_;
  std::size_t size_ = 0;
  std::size_t mark_ = 0;
};

}  // namespace pgsteer::protocol
