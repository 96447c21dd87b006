# libbacktrace, which gcc ships and clang finds beside it: names and lines of places in the code.
# Where it is missing, places are told by the names that the dynamic linker knows.

include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES backtrace)
# clang looks for the library in the folder of gcc, but not for the header
file(GLOB backtrace_folders /usr/lib/gcc/*/*/include)
foreach(folder IN LISTS backtrace_folders)
    if(EXISTS ${folder}/backtrace.h)
        set(backtrace_folder ${folder})
    endif()
endforeach()
if(backtrace_folder)
    configure_file(${backtrace_folder}/backtrace.h
        ${PROJECT_BINARY_DIR}/backtrace/backtrace.h COPYONLY)
    set(CMAKE_REQUIRED_INCLUDES ${PROJECT_BINARY_DIR}/backtrace) # and not the rest of that folder
endif()
check_c_source_compiles("
    #include <backtrace.h>
    int main(void) { return backtrace_create_state(0, 1, 0, 0) == 0; }" KIN_HAS_BACKTRACE)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_INCLUDES)

# What whoever links the layer os needs. The unwinder is linked in: another library to load would
# make every program of kin start later.
add_library(kin_backtrace INTERFACE)
target_link_options(kin_backtrace INTERFACE -static-libgcc)
set(KIN_BACKTRACE_LIBRARY "") # in kin.pc
if(KIN_HAS_BACKTRACE)
    set(KIN_BACKTRACE_LIBRARY "-lbacktrace")
    target_include_directories(kin_backtrace INTERFACE ${PROJECT_BINARY_DIR}/backtrace)
    target_compile_definitions(kin_backtrace INTERFACE KIN_BACKTRACE=1)
    target_link_libraries(kin_backtrace INTERFACE backtrace)
endif()
