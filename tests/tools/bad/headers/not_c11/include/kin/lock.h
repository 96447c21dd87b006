/** Binary constants came after C17. */
static const int kin_one = 0b1;
