# spillway_test(): one test program, and how ctest runs it.
#
#   spillway_test(window_test
#     SOURCES window_test.cpp        # listed; main() comes from GoogleTest
#     LIBRARIES spillway_core        # the layer alone: what calls past it does not link
#     ARGUMENTS --gtest_filter=-Long* # of those that use servers, in ctest
#     LABELS unit                    # unit | sim | crash | contract | integration | fault | fuzz | install
#     TIMEOUT 30)                    # seconds; default 60, and 300 for those that use servers
#
# unit, sim, crash, fuzz and install: each TEST is an entry of ctest, and they run beside each other.
# contract, integration and fault: each program is one entry, and none runs beside another, since all
# share the one stack and some kill it. All of a label are built by the target tests_LABEL. Tests find
# the stack and the program through these variables:
#   SPILLWAY_STACK    tools/stack
#   SPILLWAY_PROGRAM  the program spillway, when it is built
#   SPILLWAY_KAFKA, SPILLWAY_POSTGRES, SPILLWAY_REDIS are the caller's: eval "$(tools/stack env)"

foreach(label IN ITEMS unit sim crash fuzz install contract integration fault)
  add_custom_target(tests_${label})
endforeach()

function(spillway_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;ARGUMENTS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES OR NOT arg_LABELS)
    message(FATAL_ERROR "spillway_test(${name}): SOURCES and LABELS are needed, "
      "and this is not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()

  set(uses_servers OFF)
  foreach(label IN ITEMS contract integration fault)
    if(label IN_LIST arg_LABELS)
      set(uses_servers ON)
    endif()
  endforeach()
  if(NOT arg_TIMEOUT)
    if(uses_servers)
      set(arg_TIMEOUT 300)
    else()
      set(arg_TIMEOUT 60)
    endif()
  endif()

  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  if(SPILLWAY_SANITIZE STREQUAL "thread")
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/c11_threads.cpp")
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} deps::gtest deps::gtest_main spillway_warnings)

  foreach(label IN LISTS arg_LABELS)
    if(TARGET tests_${label})
      add_dependencies(tests_${label} ${name})
    endif()
  endforeach()

  set(suppressions "${PROJECT_SOURCE_DIR}/tests/support/tsan.supp")
  if(uses_servers)
    add_test(NAME ${name} COMMAND ${name} --gtest_color=auto ${arg_ARGUMENTS})
    set_tests_properties(${name} PROPERTIES
      LABELS "${arg_LABELS}"
      TIMEOUT ${arg_TIMEOUT}
      RUN_SERIAL ON
      ENVIRONMENT "SPILLWAY_STACK=${PROJECT_SOURCE_DIR}/tools/stack;SPILLWAY_PROGRAM=${PROJECT_BINARY_DIR}/spillway;TSAN_OPTIONS=suppressions=${suppressions}")
  else()
    # PRE_TEST: listing a sanitizer's program while others link costs the build more than the tests.
    gtest_discover_tests(${name}
      DISCOVERY_MODE PRE_TEST
      DISCOVERY_TIMEOUT 30
      PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "TSAN_OPTIONS=suppressions=${suppressions}")
  endif()
endfunction()
