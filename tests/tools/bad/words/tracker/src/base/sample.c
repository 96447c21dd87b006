/* See issue 12. */
int kin__read(void);
