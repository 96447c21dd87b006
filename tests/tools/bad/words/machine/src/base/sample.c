/* Made in /home/somebody. */
int kin__read(void);
