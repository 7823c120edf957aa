// Runs a test's body on a thread with the stack that classification asks for.
// Used by the unit tests that give the classifier deep texts.
#pragma once

#include <functional>

#include <pthread.h>

#include "routing/classifier.hpp"

namespace pgsteer::routing {

inline void on_parse_stack(const std::function<void()>& body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, parse_stack_bytes);
  pthread_t thread{};
  const auto run = [](void* given) -> void* {
    (*static_cast<const std::function<void()>*>(given))();
    return nullptr;
  };
  std::function<void()> owned = body;
  pthread_create(&thread, &attributes, run, &owned);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace pgsteer::routing
