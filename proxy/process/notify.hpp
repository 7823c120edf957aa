// Tells the service manager what the process is up to, by sd_notify's protocol: a datagram to the
// socket that NOTIFY_SOCKET names. Used by main.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgsteer::proxy {

class notify_socket {
 public:
  // Nobody is told where `path` is empty; a leading '@' means the abstract namespace.
  explicit notify_socket(std::string path) : path_(std::move(path)) {}
  // From NOTIFY_SOCKET, which is removed from the environment so that children do not speak for us.
  static notify_socket from_environment();

  // Each returns whether somebody was told. Never blocks.
  bool ready() const { return send("READY=1"); }
  bool stopping() const { return send("STOPPING=1"); }
  // To be followed by ready() when the reload is done. Carries the monotonic clock, as Type=notify-reload
  // asks.
  bool reloading() const;
  // One line for `systemctl status`.
  bool status(std::string_view text) const;

 private:
  bool send(std::string_view message) const;

  std::string path_;
};

}  // namespace pgsteer::proxy
