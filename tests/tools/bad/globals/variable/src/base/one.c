int kin__count;
