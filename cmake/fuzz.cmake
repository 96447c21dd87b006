# The fuzz targets, fuzz/<name>.c: with KIN_FUZZ each is linked with libFuzzer (clang), else with a
# driver that replays fuzz/corpus/<name>, as a test. See docs/design/fuzz.md.

# Whose bytes they give to whom; the others are of the layer object.
set(layer_of_frame connection)
set(layer_of_handshake connection)

file(GLOB sources CONFIGURE_DEPENDS fuzz/*.c)
list(FILTER sources EXCLUDE REGEX "/replay\\.c$")
foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(fuzz_${name} ${source})
    set_target_properties(fuzz_${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY fuzz OUTPUT_NAME ${name} C_EXTENSIONS ON)
    target_include_directories(fuzz_${name} PRIVATE fuzz)
    if(NOT layer_of_${name})
        set(layer_of_${name} object)
    endif()
    kin_link_layers(fuzz_${name} ${KIN_BELOW_${layer_of_${name}}})
    if(KIN_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(fuzz_${name} PRIVATE fuzz/replay.c)
        kin_add_test(fuzz_${name} fuzz_${name} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
    endif()
endforeach()

# The replay of what kin and CPython both read, with the libkin.so of this build.
if(NOT KIN_FUZZ AND NOT KIN_SANITIZE AND TARGET kin)
    kin_add_test(fuzz_differential ${PROJECT_SOURCE_DIR}/fuzz/differential --seed 1 --seconds 2
        $<TARGET_FILE:kin> ${PROJECT_SOURCE_DIR}/fuzz/corpus/decode)
endif()
