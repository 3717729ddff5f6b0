# Turns the files of the report page into one C++ source of raw strings:
#   cmake -DOUTPUT=page.cpp "-DFILES=a.js;b.css" -P embed.cmake
# Raw strings keep every byte; the delimiter must not occur in a file, which is checked here.
set(_delimiter "TAMIZ_PAGE")
set(_text "// Written by embed.cmake from screening/report/page.\n")
string(APPEND _text "#include \"tamiz/screening/report/page.hpp\"\n\nnamespace tamiz::report {\nnamespace {\n\n")
string(APPEND _text "constexpr PageFile k_files[] = {\n")
foreach(_file IN LISTS FILES)
  get_filename_component(_name "${_file}" NAME)
  file(READ "${_file}" _content)
  string(FIND "${_content}" ")${_delimiter}\"" _clash)
  if(NOT _clash EQUAL -1)
    message(FATAL_ERROR "${_file} contains the raw string delimiter ${_delimiter}; choose another in embed.cmake")
  endif()
  string(APPEND _text "    {\"${_name}\", R\"${_delimiter}(${_content})${_delimiter}\"},\n")
endforeach()
string(APPEND _text "};\n\n}  // namespace\n\nstd::span<const PageFile> page_files() { return k_files; }\n\n")
string(APPEND _text "}  // namespace tamiz::report\n")
file(WRITE "${OUTPUT}" "${_text}")
