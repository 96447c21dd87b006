# One object library a layer that has sources: kin_<layer>. The layers and what each may use are
# read from src/layers.txt, the table that tools/check_layers enforces.
#
# Sets KIN_LAYERS (those with sources, lowest first) and, for each, KIN_BELOW_<layer>: the layers
# that it stands on, itself included.

set(KIN_LAYERS)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS src/layers.txt)
file(STRINGS src/layers.txt lines REGEX "^[a-z]+:")
foreach(line IN LISTS lines)
    string(REGEX MATCH "^([a-z]+): *([a-z ]*)" matched "${line}")
    set(layer ${CMAKE_MATCH_1})
    string(STRIP "${CMAKE_MATCH_2}" below)
    separate_arguments(below)
    set(sources_at src/${layer}/*.c src/${layer}/*/*.c)
    if(layer STREQUAL "os")
        set(sources_at src/os/linux/*.c src/os/linux/*/*.c)
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${sources_at})
    if(NOT sources)
        continue()
    endif()
    set(KIN_BELOW_${layer} ${layer})
    foreach(name IN LISTS below)
        list(APPEND KIN_BELOW_${layer} ${KIN_BELOW_${name}})
    endforeach()
    list(REMOVE_DUPLICATES KIN_BELOW_${layer})
    list(APPEND KIN_LAYERS ${layer})

    add_library(kin_${layer} OBJECT ${sources})
    target_include_directories(kin_${layer} PUBLIC include src)
    set_target_properties(kin_${layer} PROPERTIES
        POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
    if(layer STREQUAL "os") # the one layer that sees more of the system than ISO C
        set_target_properties(kin_os PROPERTIES C_EXTENSIONS ON)
        target_link_libraries(kin_os PRIVATE kin_backtrace)
    endif()
    if(layer STREQUAL "connection") # loads OpenSSL when it needs it, and is not linked with it
        target_include_directories(kin_connection SYSTEM PUBLIC ${OPENSSL_INCLUDE_DIR})
    endif()
    # Thread-local state is read on every fast path; initial-exec makes that one instruction.
    target_compile_options(kin_${layer} PRIVATE -ftls-model=initial-exec)
endforeach()

# Objects of some layers, for linking into a program.
function(kin_link_layers target)
    foreach(layer IN LISTS ARGN)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:kin_${layer}>)
    endforeach()
    target_include_directories(${target} PRIVATE include src)
    target_include_directories(${target} SYSTEM PRIVATE ${OPENSSL_INCLUDE_DIR})
    target_link_libraries(${target} PRIVATE Threads::Threads kin_backtrace)
endfunction()
