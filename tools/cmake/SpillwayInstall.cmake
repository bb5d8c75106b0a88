# What `cmake --install` puts in place: headers, both libraries, find_package(spillway), spillway.pc.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/spillway")

install(TARGETS spillway_headers spillway_shared spillway_static
  EXPORT spillwayTargets
  FILE_SET HEADERS)
install(EXPORT spillwayTargets NAMESPACE spillway:: DESTINATION "${package_dir}")

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/spillwayConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/spillwayConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/spillwayConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/spillwayConfig.cmake"
  "${PROJECT_BINARY_DIR}/spillwayConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/SpillwayDeps.cmake"
  DESTINATION "${package_dir}")

# Relative, so that an installed tree may be moved.
file(RELATIVE_PATH pc_to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file("${CMAKE_CURRENT_LIST_DIR}/spillway.pc.in" "${PROJECT_BINARY_DIR}/spillway.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/spillway.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
