# How every target is compiled: the language, what is visible, sanitizers; and spillway_warnings.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # An installed libspillway.so finds SPILLWAY_LIBRDKAFKA_ROOT.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(SPILLWAY_CCACHE ccache)
mark_as_advanced(SPILLWAY_CCACHE)
if(SPILLWAY_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SPILLWAY_CCACHE}")
endif()

add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(SPILLWAY_SANITIZE)
  add_compile_options(-fsanitize=${SPILLWAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${SPILLWAY_SANITIZE})
endif()

# Linked PRIVATE by each of our targets. Client headers are SYSTEM and stay outside.
add_library(spillway_warnings INTERFACE)
target_compile_options(spillway_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
  $<$<CXX_COMPILER_ID:GNU>:-Wuseless-cast>
  -Wcast-align -Wcast-qual -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond> $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-branches>
  $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op>
  -Wnull-dereference -Wswitch-enum -Wextra-semi)
if(SPILLWAY_SANITIZE)
  # GCC documents that its sanitizers cause false warnings; -Wtsan refuses every fence.
  if(SPILLWAY_SANITIZE STREQUAL "thread")
    target_compile_options(spillway_warnings INTERFACE -Wno-tsan)
  endif()
else()
  target_compile_options(spillway_warnings INTERFACE -Werror)
endif()
