# Builds the project in consumer/ against xgrad and runs it. -DUSE=find_package installs the built library first. With
# -DUSE=add_subdirectory or fetch_content the library is the user's to compile: that is done where COMPILER_LAUNCHER, a compiler
# cache, makes it quick, and otherwise only the consumer is compiled, against headers that come from the same target.
file(REMOVE_RECURSE ${WORK_DIR})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0 OR output MATCHES "CMake (Deprecation )?Warning")
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${result}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

if(USE STREQUAL "find_package")
  run(${CMAKE_COMMAND} --install ${XGRAD_BINARY_DIR} --prefix ${WORK_DIR}/prefix)
endif()
run(${CMAKE_COMMAND} --no-warn-unused-cli -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK_DIR}/build -G "Unix Makefiles" -DUSE=${USE}
    -DXGRAD_SOURCE_DIR=${XGRAD_SOURCE_DIR} -DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix -DCMAKE_BUILD_TYPE=${BUILD_TYPE}
    -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${COMPILER_LAUNCHER} -DXGRAD_WERROR=${WERROR})
if(USE STREQUAL "find_package" OR COMPILER_LAUNCHER)
  run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --parallel 2)
  run(${WORK_DIR}/build/consumer)
else()
  run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --target main.o)
endif()

if(USE STREQUAL "find_package")  # and without CMake
  find_program(PKG_CONFIG pkg-config)
  file(GLOB_RECURSE pc ${WORK_DIR}/prefix/xgrad.pc)
  if(NOT PKG_CONFIG OR NOT pc)
    message(FATAL_ERROR "there is no pkg-config, or no xgrad.pc: '${pc}'")
  endif()
  get_filename_component(folder ${pc} DIRECTORY)
  run(${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${folder} ${PKG_CONFIG} --cflags --libs xgrad)
  string(STRIP "${output}" output)
  separate_arguments(flags UNIX_COMMAND "${output}")
  run(${CXX_COMPILER} -std=c++20 ${CMAKE_CURRENT_LIST_DIR}/consumer/main.cpp ${flags} -Wl,-rpath,${WORK_DIR}/prefix/lib -o ${WORK_DIR}/consumer)
  run(${WORK_DIR}/consumer)
endif()
