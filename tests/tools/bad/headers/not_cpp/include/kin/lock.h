/** No C++. */
static inline int *kin_pointer(void *address)
{
    return address;
}
