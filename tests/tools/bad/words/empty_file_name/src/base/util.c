int kin__one;
