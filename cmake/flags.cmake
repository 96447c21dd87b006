# Flags of everything that is built, by the options in CMakeLists.txt.

add_compile_options(-pipe) # no files in /tmp, where tests look for what others leave

if(KIN_STRICT)
    add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Werror)
    add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wconversion> $<$<COMPILE_LANGUAGE:C>:-Wvla>)
    add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)
    if(CMAKE_C_COMPILER_ID MATCHES Clang) # to gcc, -Wconversion in C does not mean this one
        add_compile_options(-Wno-sign-conversion)
    endif()
endif()
if(KIN_DEBUG)
    add_compile_definitions(KIN_DEBUG=1)
endif()
if(KIN_FAULTS)
    add_compile_definitions(KIN_FAULTS=1)
endif()
if(KIN_SANITIZE)
    add_compile_options(-fsanitize=${KIN_SANITIZE} -fno-omit-frame-pointer)
    add_compile_options(-fno-sanitize-recover=all)
    add_link_options(-fsanitize=${KIN_SANITIZE})
endif()
if(KIN_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
