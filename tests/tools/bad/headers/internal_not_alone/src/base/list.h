struct list { size_t count; };
