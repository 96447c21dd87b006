int kin__next(void)
{
    static int count;
    return count++;
}
