# The program of the release build is optimised as a whole: a tenth fewer instructions a transaction. The libraries hold
# ordinary code too, and the tests are linked with that: they need not be optimised once more each.
option(PGSTEER_LTO "Optimise the release build's program as a whole (GCC)" ON)
set(optimises_whole OFF)
if(PGSTEER_LTO AND CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT PGSTEER_SANITIZE
   AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(optimises_whole ON)
endif()

function(optimise_whole_program program)
  if(NOT optimises_whole)
    return()
  endif()
  foreach(library ${ARGN})
    target_compile_options(${library} PRIVATE -flto=auto -ffat-lto-objects)
  endforeach()
  target_link_options(${program} PRIVATE -flto=auto)
endfunction()

function(link_without_lto program)
  if(optimises_whole)
    target_link_options(${program} PRIVATE -fno-lto)
  endif()
endfunction()
