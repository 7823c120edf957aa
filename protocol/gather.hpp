// A list of byte ranges to be written at once: some borrowed from the client's bytes, some made
// here (rewritten headers, prefixes). Reused by its worker, so that a batch allocates nothing.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace pgsteer::protocol {

class gather {
 public:
  void clear() {
    if (made_.size() > most_kept) made_ = {};
    made_size_ = made_from_ = 0;
    run_ = {};
    parts_.clear();
    size_ = 0;
  }
  // The bytes must stay where they are until the batch is written.
  void borrow(std::string_view bytes) {
    size_ += bytes.size();
    if (run_.data() + run_.size() == bytes.data()) {
      run_ = {run_.data(), run_.size() + bytes.size()};
    } else {
      end_run();
      run_ = bytes;
    }
  }
  void copy(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(make(bytes.size()), bytes.data(), bytes.size());
  }
  // Room for that many bytes, to be filled before anything else is added.
  [[nodiscard]] char* make(std::size_t size) {
    end_run();
    size_ += size;
    return extend_made(size);
  }
  // For what appends to a string: to be ended before anything else is added.
  [[nodiscard]] std::string& begin_made() {
    end_run();
    made_.resize(made_size_);
    return made_;
  }
  void end_made() {
    size_ += made_.size() - made_size_;
    made_size_ = made_.size();
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Valid until the next change.
  [[nodiscard]] const std::vector<iovec>& parts() {
    end_run();
    end_made_part();
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
  static constexpr std::size_t worth_a_part = 512;                // fewer bytes are copied sooner
  static constexpr std::size_t most_kept = std::size_t{1} << 20;  // bytes, from batch to batch

  // Behind bytes made here, a few borrowed ones join them.
  void end_run() {
    if (run_.empty()) return;
    if (run_.size() < worth_a_part && made_size_ > made_from_) {
      std::memcpy(extend_made(run_.size()), run_.data(), run_.size());
    } else {
      end_made_part();
      parts_.push_back({run_.data(), 0, run_.size()});
    }
    run_ = {};
  }
  void end_made_part() {
    if (made_size_ > made_from_) parts_.push_back({nullptr, made_from_, made_size_ - made_from_});
    made_from_ = made_size_;
  }
  char* extend_made(std::size_t size) {
    const auto at = made_size_;
    made_size_ += size;
    if (made_size_ > made_.size()) make_room();
    return made_.data() + at;
  }
  [[gnu::noinline]] void make_room() { made_.resize(2 * made_size_); }

  std::string made_;  // what lies behind made_size_ is room
  std::size_t made_size_ = 0;
  std::size_t made_from_ = 0;  // in parts_ as far as here
  std::string_view run_;       // borrowed last, one behind the other
  std::vector<part> parts_;
  std::vector<iovec> iov_;
  std::size_t size_ = 0;
};

}  // namespace pgsteer::protocol
