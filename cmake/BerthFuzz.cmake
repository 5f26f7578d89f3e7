# berth_fuzz(NAME USES module...)
#   Declares fuzz/NAME_fuzz.cc with the seeds in fuzz/seeds/NAME. With the fuzz preset it is a libFuzzer program; with
#   every other one it is linked to a main() that replays the seeds, which ctest runs under the label "fuzz".

add_custom_target(fuzzers)

function(berth_fuzz name)
  cmake_parse_arguments(arg "" "" "USES" ${ARGN})
  set(program ${name}_fuzz)
  if(BERTH_FUZZ)
    add_executable(${program} ${name}_fuzz.cc)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${program})
  else()
    set(program ${name}_replay)
    add_executable(${program} ${name}_fuzz.cc replay_main.cc)
    add_test(NAME fuzz.${name}_seeds COMMAND ${program} ${CMAKE_CURRENT_SOURCE_DIR}/seeds/${name})
    set_tests_properties(fuzz.${name}_seeds PROPERTIES LABELS fuzz TIMEOUT 60)
  endif()
  foreach(used IN LISTS arg_USES)
    target_link_libraries(${program} PRIVATE berth_${used})
  endforeach()
endfunction()
