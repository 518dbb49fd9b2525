# The library, its headers as <xgrad/...>, and a config for find_package(xgrad).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/xgrad)
target_include_directories(xgrad PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
foreach(library xgrad xgrad_tune xgrad_image xgrad_npz xgrad_text)  # but the first only where what they need is installed
  if(TARGET ${library})
    install(TARGETS ${library} EXPORT xgrad)
    list(APPEND pages ${library}.pc)
  endif()
endforeach()
if(TARGET xgrad-tune)
  install(TARGETS xgrad-tune)
endif()
install(EXPORT xgrad NAMESPACE xgrad:: FILE xgradTargets.cmake DESTINATION ${config_dir})

file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} *.hpp core/*.hpp array/*.hpp kernels/*.hpp autograd/*.hpp ops/*.hpp ops/*/*.hpp distributions/*.hpp solvers/*.hpp
     nn/*.hpp optim/*.hpp io/*.hpp data/*.hpp train/*.hpp image/*.hpp text/*.hpp npz/*.hpp tune/*/*.hpp)
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
foreach(page ${pages})
  configure_file(cmake/${page}.in ${page} @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${page} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
install(FILES autograd/tensor_gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/xgrad)

configure_package_config_file(cmake/xgradConfig.cmake.in xgradConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(xgradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xgradConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/xgradConfigVersion.cmake cmake/openblas.cmake
        DESTINATION ${config_dir})
