static int count = 1;
int kin__next(void)
{
    return count++;
}
