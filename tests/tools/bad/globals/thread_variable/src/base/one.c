_Thread_local int kin__count;
