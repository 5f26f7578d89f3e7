# Language, warnings and hardening: the same for every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)  # TRY and MUST are GNU statement expressions
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(BERTH_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
option(BERTH_FUZZ "Build the libFuzzer targets (clang)" OFF)
if(BERTH_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Werror -fstack-protector-strong)
# Headers are found as "module/thing.h". Only in quotes: <sys/socket.h> stays the system's, whatever src/sys holds.
add_compile_options(-iquote ${CMAKE_SOURCE_DIR}/src)
add_compile_definitions(_FILE_OFFSET_BITS=64)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Which GNU extension an expression uses is g++'s business; the sources are checked with it.
  # libstdc++ 12's own std::stable_sort() calls what it has deprecated.
  add_compile_options(-Wno-gnu-statement-expression -Wno-sign-conversion -Wno-unknown-warning-option
                      -Wno-deprecated-declarations)
else()
  add_compile_options(-Wno-sign-conversion)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # What g++ 12's optimiser believes of std::string and std::variant, wrongly; `make tidy` has clang look at the same
  # code.
  add_compile_options(-Wno-free-nonheap-object -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
                      -Wno-stringop-overflow)
  string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  # Small sources would be inlined without limit: a quarter more code, all of it memory of each container's start.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(--param=large-unit-insns=1000 --param=inline-unit-growth=20)
  endif()
  add_compile_options(-D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections -Wl,-z,relro,-z,now -s)
else()
  add_compile_options(-g1)
endif()
if(BERTH_SANITIZE)
  add_compile_options(-fsanitize=${BERTH_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BERTH_SANITIZE})
endif()
