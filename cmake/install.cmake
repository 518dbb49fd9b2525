# The library, its headers as <xgrad/...>, and a config for find_package(xgrad).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/xgrad)
target_include_directories(xgrad PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS xgrad EXPORT xgrad)
if(TARGET xgrad-tune)
  install(TARGETS xgrad-tune)
endif()
install(EXPORT xgrad NAMESPACE xgrad:: FILE xgradTargets.cmake DESTINATION ${config_dir})

file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} *.hpp core/*.hpp autograd/*.hpp ops/*.hpp ops/kernels/*.hpp
     nn/*.hpp optim/*.hpp data/*.hpp io/*.hpp tune/*.hpp)
foreach(header ${headers})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/xgrad/${folder})
endforeach()

# For those who do not use CMake. A static xgrad needs its libraries linked as well, a shared one has them already.
set(XGRAD_PC_REQUIRES Requires)
if(BUILD_SHARED_LIBS)
  set(XGRAD_PC_REQUIRES Requires.private)
endif()
if(PostgreSQL_FOUND)
  set(XGRAD_PC_LIBPQ " libpq")
endif()
file(RELATIVE_PATH XGRAD_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/xgrad.pc.in xgrad.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xgrad.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES autograd/tensor_gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/xgrad)

configure_package_config_file(cmake/xgradConfig.cmake.in xgradConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(xgradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xgradConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/xgradConfigVersion.cmake cmake/openblas.cmake
        DESTINATION ${config_dir})
