# What Spillway links, as deps::NAME: imported targets, so that their headers are SYSTEM.
#
# Installed beside spillwayConfig.cmake too: a consumer of the static library needs the same names.
# Which layer may link which is for the layers' own CMakeLists.txt (and tools/check-house) to say.

include_guard(GLOBAL)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# deps::NAME from pkg-config modules.
function(spillway_pkg_dep name)
  pkg_check_modules(SPILLWAY_DEP_${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${ARGN})
  add_library(deps::${name} ALIAS PkgConfig::SPILLWAY_DEP_${name})
endfunction()

# deps::NAME from a header below an include directory and, where one is named, a library.
function(spillway_plain_dep name header)
  find_path(SPILLWAY_${name}_INCLUDE ${header} REQUIRED)
  mark_as_advanced(SPILLWAY_${name}_INCLUDE)
  add_library(deps::${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(deps::${name} SYSTEM INTERFACE "${SPILLWAY_${name}_INCLUDE}")
  if(ARGC GREATER 2)
    find_library(SPILLWAY_${name}_LIBRARY ${ARGV2} REQUIRED)
    mark_as_advanced(SPILLWAY_${name}_LIBRARY)
    target_link_libraries(deps::${name} INTERFACE "${SPILLWAY_${name}_LIBRARY}")
  endif()
endfunction()

# ---- What the library itself needs ----------------------------------------------------------------

if(SPILLWAY_LIBRDKAFKA_ROOT)
  if(NOT EXISTS "${SPILLWAY_LIBRDKAFKA_ROOT}/lib/librdkafka.so")
    message(FATAL_ERROR "No lib/librdkafka.so below SPILLWAY_LIBRDKAFKA_ROOT, which is "
      "${SPILLWAY_LIBRDKAFKA_ROOT}; tools/build --librdkafka=VERSION makes one.")
  endif()
  add_library(deps::rdkafka SHARED IMPORTED GLOBAL)
  set_target_properties(deps::rdkafka PROPERTIES
    IMPORTED_LOCATION "${SPILLWAY_LIBRDKAFKA_ROOT}/lib/librdkafka.so.1"
    INTERFACE_INCLUDE_DIRECTORIES "${SPILLWAY_LIBRDKAFKA_ROOT}/include")
else()
  spillway_pkg_dep(rdkafka rdkafka)
endif()
spillway_pkg_dep(pq libpq)
spillway_pkg_dep(spdlog spdlog)
spillway_plain_dep(toml toml++/toml.h tomlplusplus)
set_property(TARGET deps::toml PROPERTY INTERFACE_COMPILE_DEFINITIONS TOML_HEADER_ONLY=0 TOML_SHARED_LIB=1)
spillway_plain_dep(hiredis hiredis/hiredis.h hiredis)
spillway_plain_dep(concurrentqueue concurrentqueue/concurrentqueue.h)

# ---- What programs, tests and benchmarks need besides; not asked of a consumer --------------------

if(SPILLWAY_BUILD_TOOLS OR SPILLWAY_BUILD_TESTS OR SPILLWAY_BUILD_BENCH)
  spillway_pkg_dep(cli11 CLI11)
  spillway_pkg_dep(json nlohmann_json)
  spillway_plain_dep(prometheus prometheus/exposer.h prometheus-cpp-pull)
  find_library(SPILLWAY_prometheus_core_LIBRARY prometheus-cpp-core REQUIRED)
  mark_as_advanced(SPILLWAY_prometheus_core_LIBRARY)
  target_link_libraries(deps::prometheus INTERFACE "${SPILLWAY_prometheus_core_LIBRARY}")

  # The allocator of executables; a library never changes its host's. Sanitizers bring their own.
  if(SPILLWAY_SANITIZE)
    add_library(deps::mimalloc INTERFACE IMPORTED GLOBAL)
  else()
    spillway_plain_dep(mimalloc mimalloc.h mimalloc)
    # Nothing names its symbols, so a linker that defaults to --as-needed would drop it.
    target_link_options(deps::mimalloc INTERFACE "LINKER:--no-as-needed")
  endif()
endif()

if(SPILLWAY_BUILD_TESTS)
  spillway_pkg_dep(gtest gtest gmock)
  spillway_pkg_dep(gtest_main gtest_main)
  spillway_plain_dep(rapidcheck rapidcheck.h rapidcheck)
endif()

if(SPILLWAY_BUILD_TESTS OR SPILLWAY_BUILD_BENCH)
  spillway_pkg_dep(httplib cpp-httplib)  # for toxiproxy
endif()

if(SPILLWAY_BUILD_BENCH)
  spillway_pkg_dep(benchmark benchmark)
endif()
