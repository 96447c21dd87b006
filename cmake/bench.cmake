# Benchmarks: each bench/*.c and bench/*.cpp is one program in build/<preset>/bench. With a
# bench/CMakeLists.txt that file decides instead.

if(EXISTS ${PROJECT_SOURCE_DIR}/bench/CMakeLists.txt)
    add_subdirectory(bench)
    return()
endif()
file(GLOB sources CONFIGURE_DEPENDS bench/*.c bench/*.cpp)
foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(bench_${name} ${source})
    set_target_properties(bench_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY bench C_EXTENSIONS ON)
    target_include_directories(bench_${name} PRIVATE bench)
    target_link_libraries(bench_${name} PRIVATE kin Threads::Threads)
endforeach()
