# Libraries of Debian 12, as targets.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  # Only what Berth's own compiler of filters is compared with.
  pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET libseccomp)
  # For the disk that loses what was not flushed; without it those tests are skipped.
  pkg_check_modules(fuse3 IMPORTED_TARGET fuse3)
endif()
# Its headers alone; src/base/format.cc compiles what they leave out, so that the static programs carry just what they use.
# No locale (the separator is ','): with them libstdc++ and libc add 0.8 MiB and their tables to each static program.
add_library(berth_fmt INTERFACE)
target_compile_definitions(berth_fmt INTERFACE FMT_STATIC_THOUSANDS_SEPARATOR=44)
foreach(module libnl-3.0 libnftables libarchive libzstd libisal sqlite3 nettle)
  string(REGEX REPLACE "[^a-z0-9]" "_" target ${module})
  pkg_check_modules(${target} REQUIRED IMPORTED_TARGET ${module})
endforeach()
find_package(SQLiteCpp REQUIRED)
# For programs that are static as a whole.
find_library(BERTH_NETTLE_ARCHIVE libnettle.a REQUIRED)
find_package(Boost 1.81 REQUIRED)

# libnl by its name rather than its path, so that a static program gets the archive (docs/adr/0003).
add_library(berth_libnl INTERFACE)
target_include_directories(berth_libnl SYSTEM INTERFACE ${libnl_3_0_INCLUDE_DIRS})
target_link_libraries(berth_libnl INTERFACE nl-3)

# The archive of libarchive, of which the linker takes the tar reader: the shared one brings libxml2, ICU and six
# compressors into every process (docs/adr/0005).
add_library(berth_libarchive INTERFACE)
target_include_directories(berth_libarchive SYSTEM INTERFACE ${libarchive_INCLUDE_DIRS})
target_link_libraries(berth_libarchive INTERFACE -l:libarchive.a)
