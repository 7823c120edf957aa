// A thread whose stack is as large as parsing SQL needs. Joined when destroyed.
// Used for the workers and for `pgsteer route`.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <pthread.h>

namespace pgsteer::proxy {

class big_stack_thread {
 public:
  // Throws std::system_error where no thread can be made.
  big_stack_thread(std::size_t stack_bytes, std::function<void()> body);
  ~big_stack_thread() { join(); }
  big_stack_thread(const big_stack_thread&) = delete;
  big_stack_thread& operator=(const big_stack_thread&) = delete;

  void join();

 private:
  std::unique_ptr<std::function<void()>> body_;
  pthread_t thread_{};
  bool is_joined_ = false;
};

}  // namespace pgsteer::proxy
