/* Addresses as text, and what the system makes of them. */
#include "connection/listener/address.h"
#include "harness/test.h"
#include "os/address.h"
#include "os/listen.h"
#include "os/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct kin__address parsed(const char *text)
{
    struct kin__address address = {0};
    CHECK_EQUAL(kin__address_parse(text, &address), 0);
    return address;
}

TEST(addresses_are_taken_apart)
{
    struct kin__address address = parsed("unix:/run/some/socket");
    CHECK(address.is_unix);
    CHECK_STRING(address.path, "/run/some/socket");
    CHECK_STRING(parsed("unix:").path, "");
    CHECK_STRING(parsed("unix:@name").path, "@name"); /* a file like any other */
    address = parsed("tcp:127.0.0.1:5000");
    CHECK(!address.is_unix);
    CHECK_STRING(address.host, "127.0.0.1");
    CHECK_STRING(address.port, "5000");
    address = parsed("tcp:[::1]:0");
    CHECK_STRING(address.host, "::1");
    CHECK_STRING(address.port, "0");
    CHECK_STRING(parsed("tcp:some.host:65535").host, "some.host");
}

TEST(what_is_no_address_is_refused)
{
    static const char *const texts[] = {
        "",          "unix",       "/path",        "tcp:",         "tcp:host",       "tcp::5000",
        "tcp:host:", "tcp:host:x", "tcp:host:-1",  "tcp:host:+1",  "tcp:host:65536", "tcp:::1:5000",
        "tcp:[::1]", "tcp:[]:1",   "udp:host:500", "unix:folder/", "tcp:host: 1",    "TCP:host:1",
    };
    struct kin__address address;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_EQUAL(kin__address_parse(texts[i], &address), -EINVAL);
    }
    CHECK_EQUAL(kin__address_parse(NULL, &address), -EINVAL);
    char text[400] = "tcp:";
    memset(text + 4, 'a', 300);
    strcpy(text + 304, ":1");
    CHECK_EQUAL(kin__address_parse(text, &address), -EINVAL);
}

TEST(loopback_is_known_in_all_its_forms)
{
    static const struct {
        const char *host;
        bool is_loopback;
    } hosts[] = {{"127.0.0.1", true},        {"127.200.3.4", true}, {"::1", true},
                 {"::ffff:127.0.0.1", true}, {"0.0.0.0", false},    {"::", false},
                 {"::ffff:10.0.0.1", false}, {"10.0.0.1", false},   {"128.0.0.1", false},
                 {"2001:db8::127:1", false}};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct kin__os_address addresses[KIN__OS_ADDRESSES_MAX];
        REQUIRE(kin__os_address_find(hosts[i].host, "1", false, addresses) >= 1);
        CHECK_EQUAL(kin__os_address_is_loopback(&addresses[0]), hosts[i].is_loopback);
    }
}

TEST(internet_addresses_are_written_as_they_are_read)
{
    struct kin__os_address addresses[KIN__OS_ADDRESSES_MAX];
    char text[KIN__OS_ADDRESS_TEXT_BYTES];
    REQUIRE(kin__os_address_find("127.0.0.1", "5000", true, addresses) == 1);
    kin__os_address_format(&addresses[0], text);
    CHECK_STRING(text, "127.0.0.1:5000");
    REQUIRE(kin__os_address_find("::1", "5", true, addresses) == 1);
    kin__os_address_format(&addresses[0], text);
    CHECK_STRING(text, "[::1]:5");
    CHECK_EQUAL(kin__os_address_find("no host", "5", false, addresses), -EADDRNOTAVAIL);
}

/* --- socket files --- */

static struct kin__os_place place_of(const char *name)
{
    char path[4096];
    struct kin__os_place place;
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    REQUIRE(kin__os_place_open(path, &place) == 0);
    return place;
}

static mode_t mode_of(const struct kin__os_place *place)
{
    struct stat file;
    REQUIRE(fstatat(place->folder_fd, place->name, &file, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(S_ISSOCK(file.st_mode));
    return file.st_mode & 0777;
}

static bool is_there(const struct kin__os_place *place)
{
    return faccessat(place->folder_fd, place->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

TEST(a_socket_file_is_its_users_whatever_the_umask)
{
    struct kin__os_place place = place_of("socket");
    int fd = -1;
    mode_t masks[] = {0, 022, 077, 0177};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        umask(masks[i]);
        REQUIRE(kin__os_listen_unix(&place, true, 5, &fd) == 0);
        CHECK_EQUAL(mode_of(&place), 0600);
        kin__os_listen_unlink(&place);
        kin__os_close(fd);
        REQUIRE(kin__os_listen_unix(&place, false, 5, &fd) == 0);
        CHECK_EQUAL(mode_of(&place), 0666);
        kin__os_listen_unlink(&place);
        kin__os_close(fd);
    }
    CHECK(!is_there(&place));
    kin__os_close(place.folder_fd);
}

TEST(a_socket_file_that_nobody_listens_at_is_replaced)
{
    struct kin__os_place place = place_of("socket");
    struct kin__os_place other = place;
    int fd = -1;
    int other_fd = -1;
    REQUIRE(kin__os_listen_unix(&place, true, 5, &fd) == 0);
    CHECK_EQUAL(kin__os_listen_unix(&other, true, 5, &other_fd), -EADDRINUSE);
    kin__os_close(fd); /* as a death does */
    CHECK(is_there(&place));
    CHECK_EQUAL(kin__os_listen_unix(&other, true, 5, &other_fd), 0);
    kin__os_listen_unlink(&place); /* is not its own any more */
    CHECK(is_there(&other));
    kin__os_listen_unlink(&other);
    CHECK(!is_there(&other));
    kin__os_close(other_fd);
    kin__os_close(place.folder_fd);
}

TEST(a_file_that_is_no_socket_is_not_replaced)
{
    struct kin__os_place place = place_of("file");
    int fd = openat(place.folder_fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    close(fd);
    CHECK_EQUAL(kin__os_listen_unix(&place, true, 5, &fd), -EADDRINUSE);
    CHECK(is_there(&place));
    REQUIRE(symlinkat("nowhere", place.folder_fd, "link") == 0);
    struct kin__os_place link = place_of("link");
    CHECK_EQUAL(kin__os_listen_unix(&link, true, 5, &fd), -EADDRINUSE);
    kin__os_close(link.folder_fd);
    kin__os_close(place.folder_fd);
}

TEST(a_path_may_be_longer_than_the_system_takes)
{
    char path[1000];
    size_t used = (size_t)snprintf(path, sizeof path, "%s", test_folder());
    for (int i = 0; i < 10; i++) {
        used += (size_t)snprintf(path + used, sizeof path - used,
                                 "/a-rather-long-name-of-a-folder-%d", i);
        REQUIRE(mkdir(path, 0700) == 0);
    }
    struct kin__os_place place;
    int listening = -1;
    int fd = -1;
    int accepted = -1;
    struct kin__os_address peer = {.size = 0};
    strcat(path, "/socket");
    CHECK(strlen(path) > 300);
    REQUIRE(kin__os_place_open(path, &place) == 0);
    REQUIRE(kin__os_listen_unix(&place, true, 5, &listening) == 0);
    REQUIRE(kin__os_socket_unix(&fd) == 0);
    CHECK_EQUAL(kin__os_connect_unix(fd, path, 1000000), 0);
    CHECK_EQUAL(kin__os_accept(listening, &peer, &accepted), 0);
    CHECK_EQUAL(peer.size, 0);
    uint32_t user = 12345;
    CHECK_EQUAL(kin__os_peer_user(accepted, &user), 0);
    CHECK_EQUAL(user, geteuid());
    CHECK_EQUAL(kin__os_peer_user(fd, &user), 0);
    CHECK_EQUAL(user, geteuid());
    CHECK_EQUAL(fcntl(accepted, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(accepted, F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQUAL(kin__os_accept(listening, &peer, &accepted), -EAGAIN);
    kin__os_listen_unlink(&place);
    int fds[] = {listening, fd, accepted, place.folder_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        kin__os_close(fds[i]);
    }
}

TEST(a_full_line_makes_who_connects_wait_not_longer_than_he_wants)
{
    struct kin__os_place place = place_of("socket");
    char path[600];
    int listening = -1;
    int fds[8];
    int r = 0;
    size_t count = 0;
    snprintf(path, sizeof path, "%s/socket", test_folder());
    REQUIRE(kin__os_listen_unix(&place, true, 1, &listening) == 0);
    while (r == 0 && count < 8) {
        REQUIRE(kin__os_socket_unix(&fds[count]) == 0);
        r = kin__os_connect_unix(fds[count++], path, 1000);
    }
    CHECK_EQUAL(r, -EAGAIN);
    kin__os_listen_unlink(&place);
    kin__os_close(listening);
    kin__os_close(place.folder_fd);
    while (count > 0) {
        kin__os_close(fds[--count]);
    }
}

TEST(fresh_folders_are_for_their_user_only)
{
    char path[4096];
    char again[4096];
    struct stat file;
    REQUIRE(setenv("XDG_RUNTIME_DIR", test_folder(), 1) == 0);
    umask(0);
    REQUIRE(kin__os_folder_create(path, sizeof path) == 0);
    REQUIRE(stat(path, &file) == 0);
    CHECK_EQUAL(file.st_mode & 07777, 0700);
    CHECK(strncmp(path, test_folder(), strlen(test_folder())) == 0);
    REQUIRE(setenv("XDG_RUNTIME_DIR", "/does/not/exist", 1) == 0);
    REQUIRE(setenv("TMPDIR", test_folder(), 1) == 0);
    REQUIRE(kin__os_folder_create(again, sizeof again) == 0);
    CHECK(strcmp(path, again) != 0);
    CHECK_EQUAL(kin__os_folder_create(path, 10), -ENAMETOOLONG);
    kin__os_folder_remove(again);
    CHECK(access(again, F_OK) != 0);
}
