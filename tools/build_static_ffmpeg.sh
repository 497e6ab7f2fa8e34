#!/usr/bin/env bash
# tools/build_static_ffmpeg.sh PREFIX [SOURCE]
#
# Builds the small static FFmpeg that a self-contained wheel links (COPE_STATIC_FFMPEG): under the
# LGPL, demuxers and the two decoders that cope uses, nothing found on the build machine but libc.
#
# PREFIX  where libraries, headers and pkg-config files go, with the licence, the version and the
#         configure line in PREFIX/share/cope-ffmpeg
# SOURCE  an unpacked FFmpeg, 5.1 or newer; without it `apt-get source ffmpeg` fetches the
#         distribution's, which needs a deb-src entry and dpkg-dev
#
# Needs a C compiler, make, pkg-config, and nasm on x86. FFMPEG_CONFIGURE_FLAGS are added to
# configure's, for a sanitizer, say.
set -euo pipefail

(($# == 1 || $# == 2)) || { sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
mkdir -p "$1"
prefix=$(realpath "$1")

if (($# == 2)); then
  source=$(realpath "$2")
else
  mkdir -p "$prefix/src"
  (cd "$prefix/src" && apt-get source ffmpeg)
  source=$(find "$prefix/src" -mindepth 1 -maxdepth 1 -type d -name 'ffmpeg-*' | head -n 1)
fi

# Built outside the source tree, which stays clean.
build=$prefix/build
mkdir -p "$build"
cd "$build"

demuxers=mov,matroska,mpegts,mpegps,flv,avi,h264,hevc,m4v,live_flv
decoders=h264,hevc
# The other parsers only tell the picture size of streams that cope does not read.
parsers=h264,hevc,mpegvideo,mpeg4video,vp8,vp9,av1
filters=extract_extradata,h264_mp4toannexb,hevc_mp4toannexb
protocols=file,http,tcp
flags=(
  --prefix="$prefix" --enable-static --disable-shared --enable-pic
  --disable-programs --disable-doc --disable-autodetect --disable-debug
  --disable-everything --disable-avdevice --disable-avfilter --disable-swresample --disable-postproc
  --enable-demuxer="$demuxers" --enable-decoder="$decoders" --enable-parser="$parsers"
  --enable-bsf="$filters" --enable-protocol="$protocols"
  --extra-cflags=-ffunction-sections --extra-cflags=-fdata-sections  # drops what nobody calls
)
# shellcheck disable=SC2206  # words, by intent
flags+=(${FFMPEG_CONFIGURE_FLAGS:-})
"$source/configure" "${flags[@]}" >configure.log
grep -q '^License: LGPL version 2.1 or later' configure.log || {
  echo "not an LGPL build: see $build/configure.log" >&2
  exit 1
}
make -j "${JOBS:-$(nproc)}" >make.log
make install >>make.log
strip --strip-debug "$prefix"/lib/libav*.a "$prefix"/lib/libsw*.a

# What the licence asks to go along with copies. The prefix is of this machine and says nothing.
notice=$prefix/share/cope-ffmpeg
mkdir -p "$notice"
cp "$source/COPYING.LGPLv2.1" "$notice/"
version=$(cat "$source/VERSION" 2>/dev/null || cat "$source/RELEASE")
configure_line=./configure
for flag in "${flags[@]:1}"; do configure_line+=" $flag"; done
cat >"$notice/FFMPEG.txt" <<NOTICE
This package contains parts of FFmpeg (https://ffmpeg.org), version $version, linked statically:
libavformat, libavcodec, libavutil and libswscale, under the GNU Lesser General Public License,
version 2.1 or later. The licence is in COPYING.LGPLv2.1. FFmpeg is a trademark of Fabrice Bellard,
originator of the FFmpeg project.

Source: https://ffmpeg.org/releases/ffmpeg-$version.tar.xz

Configured with:
  $configure_line

To use another version, build it with tools/build_static_ffmpeg.sh and rebuild this package from its
source with -C cmake.define.COPE_STATIC_FFMPEG=PREFIX.
NOTICE
echo "FFmpeg $version in $prefix"
