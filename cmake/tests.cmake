# The tests. Each is registered with ctest under the name that ./dev test shows.
#
#   tests/unit/<layer>/*.c   one program a layer, with the objects of that layer and those it
#                            stands on only: what reaches further does not link
#   tests/api/*.c            one program, linked with libkin.so
#   tests/interop/*.c        one program, linked with libkin.so; interop_test.sh runs it
#   tests/conformance/*.c    one program, linked with libkin.so; conformance_test.sh runs it
#   tests/crash/*.c          one program each, with the objects of all layers; files in
#                            folders below are linked into each of them
#   tests/explore/*.c        one program: real code on a simulated machine, see there
#   examples/*.expected      what the example of that name prints, see tools/run_transcript
#   tests/*/*_test.sh        called with the build folder, print "N passed, N failed"

add_library(kin_harness STATIC tests/harness/check.c tests/harness/files.c tests/harness/leaks.c
    tests/harness/line_list.c tests/harness/runner.c tests/harness/thread_sanitizer.c
    tests/harness/warden.c)
target_include_directories(kin_harness PUBLIC tests tests/harness)
set_target_properties(kin_harness PROPERTIES C_EXTENSIONS ON)

set(program_limit_seconds 900) # ends what hangs; the runner's own limits are shorter
set(test_environment KIN_SOURCE=${PROJECT_SOURCE_DIR} KIN_BUILD=${PROJECT_BINARY_DIR}
    CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER})
if(KIN_SANITIZE)
    list(APPEND test_environment KIN_TEST_LIMIT_SCALE=8)
    set(program_limit_seconds 2700)
endif()

function(kin_add_test name)
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES
        ENVIRONMENT "${test_environment}" TIMEOUT ${program_limit_seconds})
endfunction()

function(kin_add_test_program name)
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests C_EXTENSIONS ON)
    target_link_libraries(${name} PRIVATE kin_harness Threads::Threads)
    target_include_directories(${name} PRIVATE tests)
endfunction()

kin_add_test_program(harness_bad tests/harness/bad.c)

foreach(layer IN LISTS KIN_LAYERS)
    file(GLOB sources CONFIGURE_DEPENDS tests/unit/${layer}/*.c)
    if(sources)
        kin_add_test_program(unit_${layer} ${sources})
        kin_link_layers(unit_${layer} ${KIN_BELOW_${layer}})
        # The thread sanitizer has a thread of its own, beside which nothing is forked; and it dies
        # where a forked child starts a thread, which each child of a pool or forkserver may do.
        if(NOT KIN_SANITIZE STREQUAL "thread" OR NOT layer MATCHES "^(process|pool)$")
            kin_add_test(unit_${layer} unit_${layer})
        endif()
        if(layer STREQUAL "connection") # tests play peers with OpenSSL
            target_link_libraries(unit_connection PRIVATE OpenSSL::SSL)
        endif()
    endif()
endforeach()

file(GLOB sources CONFIGURE_DEPENDS tests/api/*.c)
if(sources AND TARGET kin)
    kin_add_test_program(api ${sources})
    target_link_libraries(api PRIVATE kin)
    kin_add_test(api api)
endif()

file(GLOB sources CONFIGURE_DEPENDS tests/interop/*.c)
if(sources AND TARGET kin)
    kin_add_test_program(interop ${sources})
    target_link_libraries(interop PRIVATE kin)
endif()

file(GLOB sources CONFIGURE_DEPENDS tests/conformance/*.c)
if(sources AND TARGET kin)
    add_executable(conformance ${sources})
    set_target_properties(conformance PROPERTIES RUNTIME_OUTPUT_DIRECTORY tests C_EXTENSIONS ON)
    target_link_libraries(conformance PRIVATE kin)
endif()

file(GLOB sources CONFIGURE_DEPENDS tests/crash/*.c)
file(GLOB_RECURSE parts CONFIGURE_DEPENDS tests/crash/*/*.c)
list(REMOVE_ITEM parts ${sources})
foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    kin_add_test_program(crash_${name} ${source} ${parts})
    kin_link_layers(crash_${name} ${KIN_LAYERS})
    target_include_directories(crash_${name} PRIVATE tests/crash)
    # a forkserver, which is another start of the program, has its code at the same addresses
    target_link_options(crash_${name} PRIVATE -no-pie)
    set_target_properties(crash_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY tests/crash)
    if(NOT KIN_SANITIZE STREQUAL "thread") # it knows no threads in a process forked by threads
        kin_add_test(crash_${name} crash_${name})
    endif()
endforeach()

# It ends scenarios that hang by itself, and on a busy machine takes long for all of them.
if(TEST crash_step)
    math(EXPR step_limit_seconds "2 * ${program_limit_seconds}")
    set_tests_properties(crash_step PROPERTIES TIMEOUT ${step_limit_seconds})
endif()

# The layers that are explored, compiled as for the thread sanitizer but linked with a simulated
# machine (tests/explore) instead of its run-time library; so is what asks the kernel for futexes
# and robust lists. What the machine has not, os has, and objects are each thread's own.
set(explored_layers base family sync shared queue local)
if(NOT KIN_SANITIZE AND NOT KIN_COVERAGE)
    set(explored)
    foreach(layer IN LISTS KIN_LAYERS)
        if(layer IN_LIST explored_layers)
            file(GLOB sources CONFIGURE_DEPENDS src/${layer}/*.c src/${layer}/*/*.c)
            list(APPEND explored ${sources})
        endif()
    endforeach()
    add_library(kin_explored STATIC ${explored} src/os/linux/futex.c
        $<FILTER:$<TARGET_OBJECTS:kin_os>,EXCLUDE,/futex> $<TARGET_OBJECTS:kin_object>)
    target_include_directories(kin_explored PRIVATE include src tests)
    target_compile_options(kin_explored PRIVATE -O2 -g -ftls-model=initial-exec -fsanitize=thread
        -include ${PROJECT_SOURCE_DIR}/tests/explore/replaced.h)
    file(GLOB sources CONFIGURE_DEPENDS tests/explore/*.c)
    add_executable(explore ${sources})
    list(FILTER sources INCLUDE REGEX "_scenarios.c$") # inline functions of kin are in there
    set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS -fsanitize=thread)
    set_target_properties(explore PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY tests/crash C_EXTENSIONS ON)
    target_include_directories(explore PRIVATE include src tests)
    target_compile_options(explore PRIVATE -O2)
    target_link_libraries(explore PRIVATE kin_explored Threads::Threads kin_backtrace)
    target_link_options(explore PRIVATE -no-pie -Wl,--allow-multiple-definition)
    kin_add_test(explore explore)
    if(CMAKE_GENERATOR STREQUAL "Ninja") # whose commands make the mutants; here a few of them
        kin_add_test(mutants ${PROJECT_SOURCE_DIR}/tests/mutants/run ${PROJECT_BINARY_DIR} mutex)
    endif()
endif()

file(GLOB transcripts CONFIGURE_DEPENDS examples/*.expected)
foreach(transcript IN LISTS transcripts)
    cmake_path(GET transcript STEM name)
    if(TARGET example_${name})
        kin_add_test(example_${name} ${PROJECT_SOURCE_DIR}/tools/run_transcript ${transcript})
    endif()
endforeach()

file(GLOB scripts CONFIGURE_DEPENDS tests/*/*_test.sh)
if(KIN_SANITIZE) # these test tools, or programs that are built without the sanitizer
    list(FILTER scripts EXCLUDE REGEX "/tests/(api|harness|tools|bench)/")
endif()
foreach(script IN LISTS scripts)
    cmake_path(GET script STEM name)
    kin_add_test(${name} ${script} ${PROJECT_BINARY_DIR})
endforeach()
