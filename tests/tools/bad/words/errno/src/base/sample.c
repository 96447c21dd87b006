int kin__code(void)
{
    return -errno;
}
