# Warnings, sanitizers, linker and compiler cache for every target of the project.
add_library(tamiz_options INTERFACE)
target_compile_options(tamiz_options INTERFACE -Wall -Wextra -Werror
  # g++ 12 reports -Wrestrict for std::string concatenation at -O3, and -Wmaybe-uninitialized inside Eigen.
  -Wno-restrict -Wno-error=maybe-uninitialized -Wno-error=array-bounds -Wno-error=stringop-overflow)

if(TAMIZ_SANITIZE)
  target_compile_options(tamiz_options INTERFACE -fsanitize=${TAMIZ_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(tamiz_options INTERFACE -fsanitize=${TAMIZ_SANITIZE})
endif()

find_program(TAMIZ_CCACHE ccache)
if(TAMIZ_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TAMIZ_CCACHE}")
endif()
find_program(TAMIZ_MOLD mold)
if(TAMIZ_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
