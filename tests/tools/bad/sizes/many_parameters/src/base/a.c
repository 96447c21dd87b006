static int a(int b, int c, int d, int e, int (*f)(int, int),
             int g)
{
    return 0;
}
