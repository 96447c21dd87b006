# Each examples/NAME.c is one program, as a user would write it: linked with libkin.so.

file(GLOB sources CONFIGURE_DEPENDS examples/*.c)
if(NOT TARGET kin)
    return()
endif()
foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(example_${name} ${source})
    set_target_properties(example_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY examples C_EXTENSIONS ON)
    target_link_libraries(example_${name} PRIVATE kin Threads::Threads)
endforeach()
