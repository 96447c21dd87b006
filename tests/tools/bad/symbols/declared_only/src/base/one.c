int kin__one(void)
{
    return 1;
}
