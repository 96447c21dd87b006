/* Not a documentation comment. */
typedef struct kin_lock {
    int state;
} kin_lock;
