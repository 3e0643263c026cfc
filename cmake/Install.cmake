# What cmake --install puts down: the library, its headers, the command, and what finds them from elsewhere. Nothing in
# it names the build folder or the prefix, so the installed tree can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# oneDNN lies beside our library, whatever the two were called where they were built.
file(RELATIVE_PATH bin_to_lib /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set_target_properties(alexnet PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(alexnet_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")

install(TARGETS alexnet EXPORT alexnet-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS alexnet_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/alexnet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(FILES $<TARGET_FILE:DNNL::dnnl> DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME $<TARGET_SONAME_FILE_NAME:DNNL::dnnl>)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/alexnet)
install(EXPORT alexnet-targets NAMESPACE alexnet:: DESTINATION ${package_dir})
file(CONFIGURE OUTPUT alexnet-config.cmake CONTENT "include(\${CMAKE_CURRENT_LIST_DIR}/alexnet-targets.cmake)\n" @ONLY)
write_basic_package_version_file(alexnet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/alexnet-config.cmake ${PROJECT_BINARY_DIR}/alexnet-config-version.cmake DESTINATION ${package_dir})

set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
string(REGEX REPLACE "[^/]+" ".." pkgconfig_to_prefix ${pkgconfig_dir})
configure_file(${PROJECT_SOURCE_DIR}/cmake/alexnet.pc.in alexnet.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/alexnet.pc DESTINATION ${pkgconfig_dir})
