# cope::ffmpeg: libavformat, libavcodec, libavutil and libswscale through pkg-config, 5.1 or newer.
find_package(PkgConfig REQUIRED)
pkg_check_modules(COPE_FFMPEG REQUIRED IMPORTED_TARGET
  libavformat>=59.27 libavcodec>=59.37 libavutil>=57.28 libswscale>=6.7)
add_library(cope_ffmpeg INTERFACE)
target_link_libraries(cope_ffmpeg INTERFACE PkgConfig::COPE_FFMPEG)
add_library(cope::ffmpeg ALIAS cope_ffmpeg)
