# Several sources make one translation unit (the presets set CMAKE_UNITY_BUILD): a whole release
# build takes half the processor time. Names in anonymous namespaces then meet those of other files: give a helper a name of its own, or, for a
# file whose names are worth keeping, say in its folder's CMakeLists.txt that it
# stands apart. clang-tidy sees every file by itself.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
if(CMAKE_UNITY_BUILD)
  target_compile_options(pgsteer_flags INTERFACE -Wno-shadow)  # a local may be called as something in another file is
endif()

# In the folder where their target is made.
function(compile_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
