# COPE_SANITIZE=address,undefined or thread: instruments every target of the project.
set(COPE_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")
if(COPE_SANITIZE)
  add_compile_options(-fsanitize=${COPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${COPE_SANITIZE})
endif()
