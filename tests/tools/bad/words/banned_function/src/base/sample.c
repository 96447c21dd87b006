void kin__copy(char *a, const char *b)
{
    strcpy(a, b);
}
