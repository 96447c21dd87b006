# The command-line tool, build/PRESET/kin, linked with libkin.so as a user's program would be. It
# needs jansson; with -DKIN_CLI=OFF it is not built.

if(NOT KIN_CLI OR NOT TARGET kin)
    return()
endif()
find_path(JANSSON_INCLUDE jansson.h)
find_library(JANSSON_LIBRARY jansson)
if(NOT JANSSON_INCLUDE OR NOT JANSSON_LIBRARY)
    message(FATAL_ERROR "The tool needs jansson (libjansson-dev); -DKIN_CLI=OFF goes without it")
endif()
file(GLOB sources CONFIGURE_DEPENDS cli/*.c)
add_executable(kin_tool ${sources})
set_target_properties(kin_tool PROPERTIES
    OUTPUT_NAME kin C_EXTENSIONS ON INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
target_include_directories(kin_tool SYSTEM PRIVATE ${JANSSON_INCLUDE})
target_compile_definitions(kin_tool PRIVATE KIN_VERSION="${PROJECT_VERSION}")
target_link_libraries(kin_tool PRIVATE kin ${JANSSON_LIBRARY})
install(TARGETS kin_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN *.1)
install(FILES cli/completions/kin.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME kin)
install(FILES cli/completions/_kin DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES cli/completions/kin.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
