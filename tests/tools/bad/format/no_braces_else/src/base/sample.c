int kin__one(int a)
{
    if (a) {
        return 1;
    } else
        return 0;
}
