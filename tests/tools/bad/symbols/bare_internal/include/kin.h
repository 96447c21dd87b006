#define KIN_API __attribute__((visibility("default")))
KIN_API int kin_one(void);
