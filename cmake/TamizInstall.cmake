# What `cmake --install` and a Python wheel hold, and where. Run-time paths are relative, so that both can be moved;
# DT_RPATH goes before LD_LIBRARY_PATH, so that a foreign LibTorch there does no harm (TamizCompiler, --disable-new-dtags).
#
#   cmake --install --prefix P           wheel (site-packages of an environment E)
#   P/bin/tamiz                          E/bin/tamiz
#   P/bin/tamiz-babel                    tamiz/bin/tamiz-babel, beside the libraries as in a prefix
#   P/lib/libtamiz_*.so                  tamiz/lib/libtamiz_*.so
#   P/include/tamiz, P/lib/cmake/Tamiz   -
#   P/share/tamiz                        E/share/tamiz
#   P/lib/python3.11/site-packages/tamiz tamiz

set(_python_version "3.11")
if(Python_VERSION)
  set(_python_version "${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}")
endif()
set(_python_folder "lib/python${_python_version}/site-packages/tamiz")
if(SKBUILD)
  set(_library_folder "tamiz/lib")
  set(_program_folder "${SKBUILD_SCRIPTS_DIR}")
  set(_babel_folder "tamiz/bin")
  set(_package_folder "tamiz")
  set(_data_folder "${SKBUILD_DATA_DIR}/share/tamiz")
  set(_program_rpath "$ORIGIN/../${_python_folder}/lib")
  set(_module_rpath "$ORIGIN/lib")
  set(_torch_rpath "$ORIGIN;$ORIGIN/../../torch/lib")
else()
  set(_library_folder "${CMAKE_INSTALL_LIBDIR}")
  set(_program_folder "${CMAKE_INSTALL_BINDIR}")
  set(_babel_folder "${CMAKE_INSTALL_BINDIR}")
  set(_package_folder "${_python_folder}")
  set(_data_folder "${CMAKE_INSTALL_DATADIR}/tamiz")
  file(RELATIVE_PATH _up_from_bin "/p/${_program_folder}" "/p/${_library_folder}")
  file(RELATIVE_PATH _up_from_package "/p/${_package_folder}" "/p/${_library_folder}")
  set(_program_rpath "$ORIGIN/${_up_from_bin}")
  set(_module_rpath "$ORIGIN/${_up_from_package}")
  # A prefix has no torch of its own: that of the Python it was built with.
  set(_torch_rpath "$ORIGIN;${TAMIZ_TORCH_DIR}/lib")
endif()

set(_libraries tamiz_core tamiz_engine tamiz_screening)
set_target_properties(${_libraries} PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(tamiz PROPERTIES INSTALL_RPATH "${_program_rpath}")
foreach(_target IN LISTS _libraries ITEMS tamiz)
  target_link_options(${_target} PRIVATE -Wl,--disable-new-dtags)
endforeach()
add_custom_target(tamiz_package DEPENDS tamiz)
install(TARGETS tamiz RUNTIME DESTINATION "${_program_folder}")
if(TARGET tamiz-babel)
  add_dependencies(tamiz_package tamiz-babel)
  install(TARGETS tamiz-babel RUNTIME DESTINATION "${_babel_folder}")
endif()
if(TAMIZ_WITH_TORCH)
  # Opened at run time, linked by nobody, and so in no export set.
  set_target_properties(tamiz_torch PROPERTIES INSTALL_RPATH "${_torch_rpath}")
  add_dependencies(tamiz_package tamiz_torch)
  install(TARGETS tamiz_torch LIBRARY DESTINATION "${_library_folder}")
endif()
install(DIRECTORY "${CMAKE_SOURCE_DIR}/datasets/" DESTINATION "${_data_folder}" PATTERN "*.unfinished" EXCLUDE)

if(TAMIZ_WITH_PYTHON)
  set_target_properties(_tamiz PROPERTIES INSTALL_RPATH "${_module_rpath}")
  add_dependencies(tamiz_package _tamiz)
  install(TARGETS _tamiz LIBRARY DESTINATION "${_package_folder}")
endif()
# The DFT workers are scripts of the package and are needed without the module too.
install(DIRECTORY "${CMAKE_SOURCE_DIR}/python/tamiz/" DESTINATION "${_package_folder}"
  PATTERN "__pycache__" EXCLUDE PATTERN "*.so" EXCLUDE)

if(SKBUILD)
  install(TARGETS ${_libraries} LIBRARY DESTINATION "${_library_folder}")
  return()
endif()

# For other CMake projects: find_package(Tamiz), then Tamiz::core, Tamiz::engine, Tamiz::screening.
include(CMakePackageConfigHelpers)
set(_config_folder "${_library_folder}/cmake/Tamiz")
foreach(_target IN LISTS _libraries)
  string(REPLACE "tamiz_" "" _name ${_target})
  set_target_properties(${_target} PROPERTIES EXPORT_NAME ${_name})
  target_compile_features(${_target} PUBLIC cxx_std_20)
endforeach()
# Headers of screening name its JSON type.
target_link_libraries(tamiz_screening INTERFACE "$<INSTALL_INTERFACE:nlohmann_json::nlohmann_json>")
install(TARGETS ${_libraries} EXPORT TamizTargets LIBRARY DESTINATION "${_library_folder}")
install(EXPORT TamizTargets NAMESPACE Tamiz:: DESTINATION "${_config_folder}")
foreach(_folder core potentials/engine screening)
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/${_folder}/" DESTINATION "include/tamiz/${_folder}"
    FILES_MATCHING PATTERN "*.hpp" PATTERN "cli" EXCLUDE)
endforeach()
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/TamizConfig.cmake.in" "${CMAKE_BINARY_DIR}/TamizConfig.cmake"
  INSTALL_DESTINATION "${_config_folder}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/TamizConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/TamizConfig.cmake" "${CMAKE_BINARY_DIR}/TamizConfigVersion.cmake"
  DESTINATION "${_config_folder}")
