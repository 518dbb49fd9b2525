# Defines the target xgrad::openblas where OpenBLAS is found: OpenBLAS itself, not whatever BLAS the system's alternatives name.
if(TARGET xgrad::openblas)
  return()
endif()

find_package(OpenBLAS CONFIG QUIET)
if(NOT OpenBLAS_FOUND)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(OpenBLAS QUIET openblas)
    set(OpenBLAS_LIBRARIES ${OpenBLAS_LINK_LIBRARIES})
  endif()
endif()

if(OpenBLAS_LIBRARIES)
  add_library(xgrad::openblas INTERFACE IMPORTED)
  target_include_directories(xgrad::openblas SYSTEM INTERFACE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(xgrad::openblas INTERFACE ${OpenBLAS_LIBRARIES})
endif()
