# libkin.so, libkin.a, kin.pc and what `install` lays where.

if(NOT KIN_LAYERS)
    return()
endif()

set(objects)
foreach(layer IN LISTS KIN_LAYERS)
    list(APPEND objects $<TARGET_OBJECTS:kin_${layer}>)
endforeach()

add_library(kin SHARED ${objects})
add_library(kin_static STATIC ${objects})
foreach(library IN ITEMS kin kin_static)
    set_target_properties(${library} PROPERTIES OUTPUT_NAME kin LINKER_LANGUAGE C)
    target_include_directories(${library} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
    target_link_libraries(${library} PRIVATE Threads::Threads kin_backtrace)
endforeach()

# The binary interface may change until 1.0; SOVERSION then counts its breaks.
set_target_properties(kin PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
set(version_script ${PROJECT_SOURCE_DIR}/cmake/libkin.map)
target_link_options(kin PRIVATE -Wl,--version-script=${version_script})
# kin's calls of its own functions go to them, and are not looked up by name in each process.
target_link_options(kin PRIVATE -Wl,-Bsymbolic-functions)
# All symbols are found when it is loaded. Later means: again in each forked child.
target_link_options(kin PRIVATE -Wl,-z,now)
if(NOT KIN_SANITIZE) # a sanitizer's run-time library is found in the program only
    target_link_options(kin PRIVATE -Wl,-z,defs)
endif()
set_property(TARGET kin APPEND PROPERTY LINK_DEPENDS ${version_script})

configure_file(cmake/kin.pc.in kin.pc @ONLY)
install(TARGETS kin kin_static
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/kin.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/kin DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(FILES ${PROJECT_BINARY_DIR}/kin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md)
