// Any bytes as a statement: the classifier must not crash, what it remembers by shape must be what it
// says without memory, and a session of `pgsteer route` must survive it.
#include "routing/classifier.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <semaphore>
#include <string>
#include <string_view>

#include <pthread.h>

#include "routing/decide.hpp"
#include "routing/route_command.hpp"

namespace {

using pgsteer::routing::classifier;

// libpg_query keeps a key per thread and needs a large stack: one thread judges every input.
class judge_thread {
 public:
  judge_thread() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 4 * pgsteer::routing::parse_stack_bytes);
    pthread_t thread{};
    const auto run = [](void* self) -> void* { return static_cast<judge_thread*>(self)->run(), nullptr; };
    if (pthread_create(&thread, &attributes, run, this) != 0) std::abort();
    pthread_detach(thread);
    pthread_attr_destroy(&attributes);
  }

  void judge(std::string_view text) {
    text_ = text;
    given_.release();
    done_.acquire();
  }

 private:
  [[noreturn]] void run() {
    for (;;) {
      given_.acquire();
      judge_text();
      done_.release();
    }
  }

  void judge_text() {
    const auto with_memory = remembering_.classify(text_, {});
    classifier fresh(0);
    const auto& without = fresh.classify(text_, {});
    const bool is_same = with_memory->kind == without->kind && with_memory->verb == without->verb &&
                         with_memory->name == without->name && with_memory->value == without->value &&
                         with_memory->is_dml == without->is_dml;
    // A read by its shape may be no SQL at all in a place where only some literals fit: an error anywhere.
    const bool is_error_anywhere = without->reason == "text cannot be parsed";
    if (!is_same && !is_error_anywhere) {
      std::fprintf(stderr, "%s, but %s\n", with_memory->reason.c_str(), without->reason.c_str());
      std::abort();
    }
    static_cast<void>(
        fresh.classify(text_, {.standard_conforming_strings = false, .ascii_safe_encoding = false}));
    static_cast<void>(routes_.route(text_, "one"));
    static_cast<void>(routes_.json_answer(text_));
  }

  classifier remembering_{std::size_t{1} << 20};
  pgsteer::routing::router routes_{10};
  std::string_view text_;
  std::binary_semaphore given_{0};
  std::binary_semaphore done_{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto& thread = *new judge_thread;
  thread.judge({reinterpret_cast<const char*>(data), size});
  return 0;
}
