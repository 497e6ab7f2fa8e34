# cope_add_layer(<name> DEPENDS <layer>...)
#
# One static library per folder of cpp/cope. A layer sees the headers of the layers it depends on and
# no others: each exports an include directory of its own that holds nothing but itself, so that an
# include which breaks the layering does not compile.
function(cope_add_layer name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/cope/${name}/*.cpp)
  set(include_root ${PROJECT_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${include_root}/cope)
  if(NOT EXISTS ${include_root}/cope/${name})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/cpp/cope/${name} ${include_root}/cope/${name} SYMBOLIC)
  endif()

  list(TRANSFORM ARG_DEPENDS PREPEND cope:: OUTPUT_VARIABLE dependencies)
  if(sources)
    add_library(cope_${name} STATIC ${sources})
    target_include_directories(cope_${name} PUBLIC ${include_root})
    target_link_libraries(cope_${name} PUBLIC ${dependencies} PRIVATE ${ARG_LIBRARIES} cope_warnings)
    target_compile_features(cope_${name} PUBLIC cxx_std_20)
    set_target_properties(cope_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
  else()
    add_library(cope_${name} INTERFACE)
    target_include_directories(cope_${name} INTERFACE ${include_root})
    target_link_libraries(cope_${name} INTERFACE ${dependencies})
    target_compile_features(cope_${name} INTERFACE cxx_std_20)
  endif()
  add_library(cope::${name} ALIAS cope_${name})
endfunction()
