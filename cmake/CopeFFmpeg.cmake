# cope::ffmpeg: libavformat, libavcodec, libavutil and libswscale through pkg-config, 5.1 or newer:
# the system's shared ones, or those of tools/build_static_ffmpeg.sh for a self-contained wheel.
set(COPE_STATIC_FFMPEG "" CACHE PATH "Prefix of a static FFmpeg to link instead of the system's")
find_package(PkgConfig REQUIRED)
if(COPE_STATIC_FFMPEG)
  set(ENV{PKG_CONFIG_LIBDIR} ${COPE_STATIC_FFMPEG}/lib/pkgconfig)  # nothing of the system's
  set(PKG_CONFIG_ARGN --static)
endif()
pkg_check_modules(COPE_FFMPEG REQUIRED IMPORTED_TARGET
  libavformat>=59.27 libavcodec>=59.37 libavutil>=57.28 libswscale>=6.7)
add_library(cope_ffmpeg INTERFACE)
target_link_libraries(cope_ffmpeg INTERFACE PkgConfig::COPE_FFMPEG)
if(COPE_STATIC_FFMPEG)
  # The assembly of libavcodec and libswscale refers to its tables without the GOT.
  target_link_options(cope_ffmpeg INTERFACE -Wl,-Bsymbolic -Wl,--gc-sections)
  install(DIRECTORY ${COPE_STATIC_FFMPEG}/share/cope-ffmpeg/ DESTINATION cope/licenses)
endif()
add_library(cope::ffmpeg ALIAS cope_ffmpeg)
