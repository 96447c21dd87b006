/**
 * What Python 2 called what Python 3 has under other names: protocol 2 is written with those, as
 * CPython does. Facts of Lib/_compat_pickle.py.
 */
#include "object/encode/encode.h"

#include <stddef.h>
#include <string.h>

/* Whole modules that have another name. */
static const struct {
    const char *now;
    const char *before;
} modules[] = {
    {"_bz2", "bz2"},
    {"_dbm", "dbm"},
    {"_dummy_thread", "dummy_thread"},
    {"_functools", "functools"},
    {"_gdbm", "gdbm"},
    {"_markupbase", "markupbase"},
    {"_pickle", "pickle"},
    {"_thread", "thread"},
    {"builtins", "__builtin__"},
    {"collections.abc", "_abcoll"},
    {"configparser", "ConfigParser"},
    {"copyreg", "copy_reg"},
    {"dbm", "anydbm"},
    {"dbm.bsd", "dbhash"},
    {"dbm.dumb", "dumbdbm"},
    {"dbm.gnu", "gdbm"},
    {"dbm.ndbm", "dbm"},
    {"html.entities", "htmlentitydefs"},
    {"html.parser", "HTMLParser"},
    {"http.client", "httplib"},
    {"http.cookiejar", "cookielib"},
    {"http.cookies", "Cookie"},
    {"http.server", "BaseHTTPServer"},
    {"queue", "Queue"},
    {"reprlib", "repr"},
    {"socketserver", "SocketServer"},
    {"subprocess", "commands"},
    {"test.support", "test.test_support"},
    {"tkinter", "Tkinter"},
    {"tkinter.colorchooser", "tkColorChooser"},
    {"tkinter.commondialog", "tkCommonDialog"},
    {"tkinter.constants", "Tkconstants"},
    {"tkinter.dialog", "Dialog"},
    {"tkinter.dnd", "Tkdnd"},
    {"tkinter.filedialog", "tkFileDialog"},
    {"tkinter.font", "tkFont"},
    {"tkinter.messagebox", "tkMessageBox"},
    {"tkinter.scrolledtext", "ScrolledText"},
    {"tkinter.simpledialog", "tkSimpleDialog"},
    {"tkinter.tix", "Tix"},
    {"tkinter.ttk", "ttk"},
    {"urllib.parse", "urlparse"},
    {"urllib.request", "urllib2"},
    {"urllib.robotparser", "robotparser"},
    {"winreg", "_winreg"},
    {"xmlrpc.client", "xmlrpclib"},
    {"xmlrpc.server", "SimpleXMLRPCServer"},
};

/* Single names. */
static const struct {
    struct known_global now;
    struct known_global before;
} names[] = {
    {{"_functools", "reduce"}, {"__builtin__", "reduce"}},
    {{"_socket", "socket"}, {"socket", "_socketobject"}},
    {{"builtins", "chr"}, {"__builtin__", "unichr"}},
    {{"builtins", "filter"}, {"itertools", "ifilter"}},
    {{"builtins", "int"}, {"__builtin__", "long"}},
    {{"builtins", "map"}, {"itertools", "imap"}},
    {{"builtins", "range"}, {"__builtin__", "xrange"}},
    {{"builtins", "str"}, {"__builtin__", "unicode"}},
    {{"builtins", "zip"}, {"itertools", "izip"}},
    {{"collections", "UserDict"}, {"UserDict", "IterableUserDict"}},
    {{"collections", "UserList"}, {"UserList", "UserList"}},
    {{"collections", "UserString"}, {"UserString", "UserString"}},
    {{"dbm", "whichdb"}, {"whichdb", "whichdb"}},
    {{"functools", "reduce"}, {"__builtin__", "reduce"}},
    {{"http.server", "CGIHTTPRequestHandler"}, {"CGIHTTPServer", "CGIHTTPRequestHandler"}},
    {{"http.server", "SimpleHTTPRequestHandler"}, {"SimpleHTTPServer", "SimpleHTTPRequestHandler"}},
    {{"itertools", "filterfalse"}, {"itertools", "ifilterfalse"}},
    {{"itertools", "zip_longest"}, {"itertools", "izip_longest"}},
    {{"multiprocessing.connection", "Connection"}, {"_multiprocessing", "Connection"}},
    {{"multiprocessing.context", "AuthenticationError"},
     {"multiprocessing", "AuthenticationError"}},
    {{"multiprocessing.context", "BufferTooShort"}, {"multiprocessing", "BufferTooShort"}},
    {{"multiprocessing.context", "Process"}, {"multiprocessing.process", "Process"}},
    {{"multiprocessing.context", "ProcessError"}, {"multiprocessing", "ProcessError"}},
    {{"multiprocessing.context", "TimeoutError"}, {"multiprocessing", "TimeoutError"}},
    {{"multiprocessing.popen_fork", "Popen"}, {"multiprocessing.forking", "Popen"}},
    {{"socket", "fromfd"}, {"_socket", "fromfd"}},
    {{"sys", "intern"}, {"__builtin__", "intern"}},
    {{"tkinter.filedialog", "FileDialog"}, {"FileDialog", "FileDialog"}},
    {{"tkinter.filedialog", "LoadFileDialog"}, {"FileDialog", "LoadFileDialog"}},
    {{"tkinter.filedialog", "SaveFileDialog"}, {"FileDialog", "SaveFileDialog"}},
    {{"tkinter.simpledialog", "SimpleDialog"}, {"SimpleDialog", "SimpleDialog"}},
    {{"urllib.error", "ContentTooShortError"}, {"urllib", "ContentTooShortError"}},
    {{"urllib.error", "HTTPError"}, {"urllib2", "HTTPError"}},
    {{"urllib.error", "URLError"}, {"urllib2", "URLError"}},
    {{"urllib.parse", "quote"}, {"urllib", "quote"}},
    {{"urllib.parse", "quote_plus"}, {"urllib", "quote_plus"}},
    {{"urllib.parse", "unquote"}, {"urllib", "unquote"}},
    {{"urllib.parse", "unquote_plus"}, {"urllib", "unquote_plus"}},
    {{"urllib.parse", "urlencode"}, {"urllib", "urlencode"}},
    {{"urllib.request", "getproxies"}, {"urllib", "getproxies"}},
    {{"urllib.request", "pathname2url"}, {"urllib", "pathname2url"}},
    {{"urllib.request", "url2pathname"}, {"urllib", "url2pathname"}},
    {{"urllib.request", "urlcleanup"}, {"urllib", "urlcleanup"}},
    {{"urllib.request", "urlopen"}, {"urllib", "urlopen"}},
    {{"urllib.request", "urlretrieve"}, {"urllib", "urlretrieve"}},
    {{"xmlrpc.server", "DocCGIXMLRPCRequestHandler"},
     {"DocXMLRPCServer", "DocCGIXMLRPCRequestHandler"}},
    {{"xmlrpc.server", "DocXMLRPCRequestHandler"}, {"DocXMLRPCServer", "DocXMLRPCRequestHandler"}},
    {{"xmlrpc.server", "DocXMLRPCServer"}, {"DocXMLRPCServer", "DocXMLRPCServer"}},
    {{"xmlrpc.server", "ServerHTMLDoc"}, {"DocXMLRPCServer", "ServerHTMLDoc"}},
    {{"xmlrpc.server", "XMLRPCDocGenerator"}, {"DocXMLRPCServer", "XMLRPCDocGenerator"}},
};

/* Built-in exceptions, which were in a module of their own. */
static const char *const exceptions[] = {
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BufferError",
    "BytesWarning",
    "DeprecationWarning",
    "EOFError",
    "EnvironmentError",
    "Exception",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "ReferenceError",
    "RuntimeError",
    "RuntimeWarning",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
};

/* What there was one class for. */
static const struct {
    const char *now;
    const char *before;
} errors[] = {
    {"BrokenPipeError", "OSError"},
    {"ChildProcessError", "OSError"},
    {"ConnectionAbortedError", "OSError"},
    {"ConnectionError", "OSError"},
    {"ConnectionRefusedError", "OSError"},
    {"ConnectionResetError", "OSError"},
    {"FileExistsError", "OSError"},
    {"FileNotFoundError", "OSError"},
    {"InterruptedError", "OSError"},
    {"IsADirectoryError", "OSError"},
    {"ModuleNotFoundError", "ImportError"},
    {"NotADirectoryError", "OSError"},
    {"PermissionError", "OSError"},
    {"ProcessLookupError", "OSError"},
    {"TimeoutError", "OSError"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool rename_exception(struct known_global *global)
{
    for (size_t i = 0; i < COUNT_OF(exceptions); i++) {
        if (strcmp(global->name, exceptions[i]) == 0) {
            global->module = "exceptions";
            return true;
        }
    }
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        if (strcmp(global->name, errors[i].now) == 0) {
            *global = (struct known_global){"exceptions", errors[i].before};
            return true;
        }
    }
    return false;
}

void kin__encode_rename(struct known_global *global)
{
    if (strcmp(global->module, "builtins") == 0 && rename_exception(global)) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(global->module, names[i].now.module) == 0 &&
            strcmp(global->name, names[i].now.name) == 0) {
            *global = names[i].before;
            return;
        }
    }
    for (size_t i = 0; i < COUNT_OF(modules); i++) {
        if (strcmp(global->module, modules[i].now) == 0) {
            global->module = modules[i].before;
            return;
        }
    }
}
