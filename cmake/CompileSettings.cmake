# One place for what every target is compiled with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache's manual asks for with precompiled headers; the base folder lets checkouts share results.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_library(alexnet_settings INTERFACE)
target_include_directories(alexnet_settings INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_options(alexnet_settings INTERFACE
  # Pixels and reference layers promise bits: no fused multiply-add behind our back.
  -ffp-contract=off
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual>
  # GCC 12 sees overlapping copies in std::string operator+ (GCC bug 105651).
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${ALEXNET_WERROR}>>:-Werror>)
# Libraries that nothing is called from are not loaded: the command starts sooner.
target_link_options(alexnet_settings INTERFACE LINKER:--as-needed)
if(ALEXNET_SANITIZE)
  # What instrumented code looks like to GCC makes it warn of variables that are set (its manual says so of -fsanitize).
  target_compile_options(alexnet_settings INTERFACE -fsanitize=${ALEXNET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(alexnet_settings INTERFACE -fsanitize=${ALEXNET_SANITIZE})
endif()
if(ALEXNET_FUZZ)
  target_compile_options(alexnet_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
