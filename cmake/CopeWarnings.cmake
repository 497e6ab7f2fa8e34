# Warnings of every target of the project; errors unless COPE_WERROR is off.
option(COPE_WERROR "Treat warnings as errors" ON)
add_library(cope_warnings INTERFACE)
target_compile_options(cope_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wshadow>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${COPE_WERROR}>>:-Werror>)
