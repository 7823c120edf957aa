// A flag that poll(2) can see: set from any thread, waited for by one. Used by the monitors and by
// whoever stops them.
#pragma once

namespace pgsteer::proxy {

class wakeup {
 public:
  wakeup();  // throws std::system_error where no descriptor is left
  ~wakeup();
  wakeup(const wakeup&) = delete;
  wakeup& operator=(const wakeup&) = delete;

  void set() const;
  void clear() const;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace pgsteer::proxy
