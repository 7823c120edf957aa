#include "proxy/process/big_stack_thread.hpp"

#include <system_error>

namespace pgsteer::proxy {

namespace {

void* run(void* body) {
  (*static_cast<std::function<void()>*>(body))();
  return nullptr;
}

}  // namespace

big_stack_thread::big_stack_thread(std::size_t stack_bytes, std::function<void()> body)
    : body_(std::make_unique<std::function<void()>>(std::move(body))) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  const int error = pthread_create(&thread_, &attributes, &run, body_.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot start a thread");
}

void big_stack_thread::join() {
  if (is_joined_) return;
  is_joined_ = true;
  pthread_join(thread_, nullptr);
}

}  // namespace pgsteer::proxy
