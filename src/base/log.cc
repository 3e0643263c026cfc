#include "base/log.h"

#include <atomic>
#include <memory>
#include <string>

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

namespace alexnet {
namespace {

struct Log {
  std::shared_ptr<spdlog::sinks::ansicolor_stderr_sink_mt> sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
  spdlog::logger logger{"alexnet", sink};
  std::atomic<LogFormat> format = LogFormat::text;

  Log() { logger.set_level(spdlog::level::off); }
};

Log& instance() {
  static Log log;
  return log;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format, bool color) {
  Log& log = instance();
  log.format = format;
  log.sink->set_color_mode(color ? spdlog::color_mode::always : spdlog::color_mode::never);
  log.logger.set_pattern(format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})"
                                                   : "%H:%M:%S.%e %^%l%$ %v");
  log.logger.set_level(to_spdlog(level));
}

bool log_enabled(LogLevel level) { return instance().logger.should_log(to_spdlog(level)); }

void log(LogLevel level, std::string_view message) {
  Log& log = instance();
  if (!log_enabled(level)) return;
  if (log.format == LogFormat::json) {
    const nlohmann::json quoted = std::string(message);
    log.logger.log(to_spdlog(level), "{}", quoted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    log.logger.log(to_spdlog(level), "{}", message);
  }
}

}  // namespace alexnet
