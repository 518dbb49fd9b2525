# Defines the target xgrad::openblas where OpenBLAS is found: OpenBLAS itself, not whatever BLAS the system's alternatives name.
# pkg-config is asked first, because the CMake config in Debian 13 names folders that do not exist; -DOpenBLAS_DIR goes before both.
if(TARGET xgrad::openblas)
  return()
endif()

if(NOT OpenBLAS_DIR)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(OpenBLAS QUIET openblas)
    set(OpenBLAS_LIBRARIES ${OpenBLAS_LINK_LIBRARIES})
  endif()
endif()
if(NOT OpenBLAS_LIBRARIES)
  find_package(OpenBLAS CONFIG QUIET)
endif()

if(OpenBLAS_LIBRARIES)
  add_library(xgrad::openblas INTERFACE IMPORTED)
  target_include_directories(xgrad::openblas SYSTEM INTERFACE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(xgrad::openblas INTERFACE ${OpenBLAS_LIBRARIES})
endif()
