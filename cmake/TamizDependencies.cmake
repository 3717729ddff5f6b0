# Libraries from the system; LibTorch from the Python that will import the module.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
find_library(TAMIZ_SPGLIB symspg REQUIRED)
find_path(TAMIZ_SPGLIB_INCLUDE spglib.h REQUIRED)

if(TAMIZ_WITH_TORCH OR TAMIZ_WITH_PYTHON)
  if(NOT Python_EXECUTABLE AND EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/.venv/bin/python")
    set(Python_EXECUTABLE "${CMAKE_CURRENT_SOURCE_DIR}/.venv/bin/python")
  endif()
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
endif()

if(TAMIZ_WITH_TORCH)
  # find_package(Torch) asks for a CUDA toolkit when the installed torch is a CUDA build, so the target
  # is made here from the folder of the installed package.
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
      "import importlib.util, importlib.metadata as m; print(importlib.util.find_spec('torch').submodule_search_locations[0]); print(m.version('torch'))"
    OUTPUT_VARIABLE _torch OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _torch_result)
  if(_torch_result)
    message(FATAL_ERROR "torch is not installed in ${Python_EXECUTABLE}: run cmake/bootstrap.sh, or configure with -DTAMIZ_WITH_TORCH=OFF")
  endif()
  string(REPLACE "\n" ";" _torch "${_torch}")
  list(GET _torch 0 TAMIZ_TORCH_DIR)
  list(GET _torch 1 TAMIZ_TORCH_VERSION)
  message(STATUS "torch ${TAMIZ_TORCH_VERSION} in ${TAMIZ_TORCH_DIR}")
  add_library(tamiz_libtorch INTERFACE)
  target_include_directories(tamiz_libtorch SYSTEM INTERFACE
    "${TAMIZ_TORCH_DIR}/include" "${TAMIZ_TORCH_DIR}/include/torch/csrc/api/include")
  target_link_libraries(tamiz_libtorch INTERFACE
    "${TAMIZ_TORCH_DIR}/lib/libtorch.so" "${TAMIZ_TORCH_DIR}/lib/libtorch_cpu.so" "${TAMIZ_TORCH_DIR}/lib/libc10.so")
endif()
