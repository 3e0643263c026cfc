// Diagnostics for people who asked for them. Quiet until configured; goes to stderr; never to spdlog's default logger.
#pragma once

#include <string_view>

namespace alexnet {

enum class LogLevel { trace, debug, info, warning, error, off };
enum class LogFormat { text, json };

// Thread-safe to call once before threads start; the library itself never calls it.
void configure_log(LogLevel level, LogFormat format, bool color);

bool log_enabled(LogLevel level);
void log(LogLevel level, std::string_view message);

}  // namespace alexnet
