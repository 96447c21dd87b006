void *kin__take(void)
{
    return malloc(1);
}
