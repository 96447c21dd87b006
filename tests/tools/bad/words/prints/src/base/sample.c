void kin__say(void)
{
    printf("no");
}
