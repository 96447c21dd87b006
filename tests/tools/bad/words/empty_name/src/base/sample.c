int kin__read(char *buf);
